"""The science: equations, agents, tasks, training. It knows no tool."""
