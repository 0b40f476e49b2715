"""Processes that are measured one after the other: peers that wait stopped, and `cnn time`."""
import json
import os
import select
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
START_SECONDS = 600  # for a first step: torch.compile takes up to a minute on two busy cores
LEAST_FREE = 0.15  # of the memory: below, no further peer is started beside those that wait


class Failed(Exception):
    """Why a cell of the table has no figure."""


def describe():
    """What is measured on."""
    cpu = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "memory_gb": round(memory()[0] / 1e6)}


def memory():
    """All, and what is free, in KB."""
    with open("/proc/meminfo", encoding="utf-8") as file:
        sizes = dict(line.split(":") for line in file)
    return [int(sizes[name].split()[0]) for name in ("MemTotal", "MemAvailable")]


def make_realtime(process):
    """Puts all threads of a process before those of every ordinary one."""
    for thread in os.listdir(f"/proc/{process}/task"):
        os.sched_setscheduler(int(thread), os.SCHED_RR, os.sched_param(1))


def before_exec(realtime):
    """For the `preexec_fn` of what is measured as soon as it starts."""
    return (lambda: make_realtime(os.getpid())) if realtime else None


class PeerProcess:
    """A peer that has run its first step; it stands still except while `measure` runs."""

    def __init__(self, python, system, row, threads, realtime):
        total, free = memory()
        if free < LEAST_FREE * total:
            raise Failed("too little memory is free beside the other peers")
        self.errors, self.realtime = tempfile.TemporaryFile(), realtime
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), PYTHONWARNINGS="ignore",
                           CUDA_VISIBLE_DEVICES="")
        cores = sorted(os.sched_getaffinity(0))[:threads]
        self.process = subprocess.Popen(
            [python, os.path.join(HERE, "peer.py"), system, row.net, row.mode, str(row.batch),
             str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            env=environment, start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores))
        try:
            self.started = self.read(START_SECONDS)
        except KeyboardInterrupt:
            self.close()
            raise
        self.signal(signal.SIGSTOP)

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def read(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            why = f"no answer in {seconds:.0f} s"
            if ready:
                self.errors.seek(0)
                lines = self.errors.read().decode(errors="replace").strip().split("\n")
                why = f"status {self.process.wait()}: {lines[-1]}"
            self.close()
            raise Failed(why)
        answer = json.loads(line)
        if "error" in answer:
            self.close()
            raise Failed(answer["error"])
        return answer

    def measure(self, seconds):
        if self.realtime:
            make_realtime(self.process.pid)
        self.signal(signal.SIGCONT)
        try:
            self.process.stdin.write(f"{seconds}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self.read(seconds + START_SECONDS)
        self.signal(signal.SIGSTOP)
        return answer

    def close(self):
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()


class Ours:
    """`cnn time`, started for every measurement; compiled at first, then from the cache."""

    def __init__(self, cnn, row, threads, realtime):
        self.realtime = realtime
        self.cache = tempfile.TemporaryDirectory()
        self.command = [cnn, "time", os.path.join(ROOT, "examples", row.file), "--net", row.net,
                        "--mode", row.mode, "--batch", str(row.batch), "--threads", str(threads),
                        "--json"]
        cold, cached = self.run(0), self.run(0)
        self.started = {"version": cold["version"], "compile_s": cold["compile_s"],
                        "compile_cached_s": cached["compile_s"], "gflop": cold["gflop"]}

    def run(self, seconds, *options):
        done = subprocess.run([*self.command, "--seconds", str(seconds), *options],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=dict(os.environ, CNNC_CACHE=self.cache.name), check=False,
                              preexec_fn=before_exec(self.realtime))
        if done.returncode:
            raise Failed(done.stderr.strip().split("\n")[0] or f"status {done.returncode}")
        return json.loads(done.stdout)

    def measure(self, seconds):
        time.sleep(0.1)  # OpenMP's threads go on spinning for a while
        times = self.run(seconds)
        return {"ms": times["ms_min"], "ms_median": times["ms_median"], "runs": times["runs"],
                "rss_mb": times["rss_mb"], "peak": times["peak_gflops"]}

    def close(self):
        self.cache.cleanup()
