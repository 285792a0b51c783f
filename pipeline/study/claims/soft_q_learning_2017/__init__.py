"""The claims of Haarnoja et al. 2017, arXiv:1702.08165: a file for each subject."""
