"""One short module per DVC stage: read files, call the pipeline, write files.

A stage computes with one thread, whatever the shell says, unless `execution.threads` is
among its parameters in `dvc.yaml`: its bytes must not depend on the machine's cores.
"""

from pipeline.study.machine.threads import use_threads

use_threads(1)
