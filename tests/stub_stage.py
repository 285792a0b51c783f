"""A stage that computes nothing: it writes the files that a real one would write.

Copied into test projects, where DVC runs it as `python make.py STAGE RUN`.
"""

import hashlib
import json
import struct
import sys
import zlib
from pathlib import Path

SEEDS = (0, 1)
STEPS = 400


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def table(columns, rows):
    return "".join(f"{line}\n" for line in (columns, *(",".join(row) for row in rows)))


def picture(width, height):
    rows = b"".join(
        b"\0" + bytes(255 * (2 * y > x) for x in range(width)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        content += struct.pack(">I", len(data)) + kind + data + checksum
    return content


def describe(stage, run):
    params = Path("params.yaml").read_text()
    return {
        "key": hashlib.sha256(f"{stage} {run} {params}".encode()).hexdigest()[:32],
        "stage": stage,
        "run": run,
        "task_name": "swimmer_forward",
        "task": {"kind": "navigation", "horizon": 500, "objective": "return"},
        "algorithm_name": "sql_swimmer",
        "algorithm": {"kind": "sql", "temperature": {"fixed": 0.03}, "hidden": [8, 8]},
        "seeds": SEEDS,
        "steps": STEPS,
    }


def check(_run):
    write(Path("results/check/verdict.txt"), "valid\n")


def scratch(run):
    folder = Path("results/runs/scratch", run)
    write(folder / "run.json", json.dumps(describe("scratch", run) | {"start": None}))
    records = [
        (f"{seed}", f"{step}", f"{step / 2 + seed}", "" if step % 200 else f"{step}")
        for seed in SEEDS
        for step in range(100, STEPS + 1, 100)
    ]
    columns = "seed,step,train/return,evaluation/return"
    write(folder / "records.csv", table(columns, records))
    final = [("0", "1.0", "300"), ("1", "2.0", "")]
    write(folder / "final.csv", table("seed,return,steps_to_all_goals", final))
    write(folder / "weights.safetensors", "weights")


def sweep(run):
    folder = Path("results/sweep", run)
    result = {
        "objective": "return",
        "space": {"temperature.fixed": {"log_uniform": [0.003, 0.3]}},
        "seeds": (100, 101),
        "best": {"trial": 1, "value": 2.5, "fresh": 2.0},
    }
    write(folder / "trials/run.json", json.dumps(describe("sweep", run) | result))
    seeds = "value,value_seed_100,value_seed_101"
    rows = [
        ("0", "COMPLETE", "", "0.01", "1.5", "1.0", "2.0"),
        ("1", "COMPLETE", "", "0.02", "2.5", "2.0", "3.0"),
        ("2", "FAIL", "seed 101: no number", "0.3", "", "", ""),
        ("3", "PRUNED", "at step 200: below 0", "0.1", "", "", ""),
    ]
    tried = table(f"trial,state,reason,temperature.fixed,{seeds}", rows)
    write(folder / "trials/trials.csv", tried)
    curves = [("1", "200", "0.5", "0.0", "1.0"), ("3", "200", "-1.0", "-2.0", "0.0")]
    write(folder / "trials/curves.csv", table(f"trial,step,{seeds}", curves))
    fresh = [("200", "1.0"), ("201", "3.0")]
    write(folder / "trials/fresh.csv", table("seed,value", fresh))
    write(folder / "best.yaml", "kind: sql\n")


def compare(_run):
    values = {"scratch": {"sql": {"return": {"iqm": 1.5, "low": 1.0, "high": 2.0}}}}
    write(Path("results/compare/metrics.json"), json.dumps(values))


def report(_run):
    folder = Path("results/report")
    write(folder / "report.html", "<h1>The report of the study</h1>")
    (folder / "figures").mkdir()
    (folder / "figures/curve.png").write_bytes(picture(400, 200))
    for name in (
        "scratch_hallway_sql",
        "sweep_sql_multigoal",
        "sweep_sql_multigoal-contour",
    ):
        (folder / f"figures/{name}.png").write_bytes(picture(300, 100))


if __name__ == "__main__":
    stage, run = (*sys.argv[1:], "")[:2]
    globals()[stage](run)
