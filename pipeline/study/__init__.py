"""The study around the science: settings, files, sweeps, statistics, tracking."""
