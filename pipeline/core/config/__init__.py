"""What settings are made of: values and bases. Their unions are in `agents`, `tasks`.

Every field that can change a number is written by the user; none has a default here,
except that a Gymnasium environment may bring its own time limit.
Impossible settings cannot be written: unions are discriminated, unknown keys are
errors, and nothing changes after reading. Nothing here imports torch, so that a
mistake is answered quickly.

Units: rewards and values in reward units, entropies in nats, temperatures in reward
units per nat, times in environment steps. Actions are in [-1, 1]^d.
"""
