# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""onnxruntime and onnx.reference in a process of their own, one for each thread that asks.

A model that makes an oracle crash or hang costs one answer. As what an earlier model did to the
process may be to blame, a process that dies is asked again, as a new one, before it is given up.
Requests and answers are pickles on its standard input and output.
"""
import os
import pickle
import select
import subprocess
import sys
import threading


class Failed(Exception):
    """The oracle cannot run the model."""


class Died(Failed):
    """The oracle crashed or hung."""


class Oracles:
    """The process, started when it is needed. `patience` is for one answer, in seconds."""

    def __init__(self, command=(sys.executable, __file__), patience: float = 120):
        self.command, self.patience, self.process = command, patience, None

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def once(self, request: bytes):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self.process.stdin.write(request)
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], self.patience)[0]:
                raise Died("no answer")
            return pickle.load(self.process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise Died("the process ended") from error

    def ask(self, name: str, *arguments):
        request = pickle.dumps((name, arguments))
        try:
            done, answer = self.once(request)
        except Died:
            self.stop()
            try:
                done, answer = self.once(request)
            except Died as error:
                self.stop()
                raise Died(f"{name}: {error}") from error
        if not done:
            raise Failed(answer)
        return answer


own = threading.local()


def ask(name: str, model, inputs: dict) -> list:
    """The outputs of a model by one of the ORACLES."""
    if not hasattr(own, "oracles"):
        own.oracles = Oracles()
    return own.oracles.ask(name, model.SerializeToString(), inputs)


def onnxruntime(model: bytes, inputs: dict) -> list:
    """Without its own rewriting of the graph."""
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model, options, ["CPUExecutionProvider"]).run(None, inputs)


def reference(model: bytes, inputs: dict) -> list:
    import onnx
    from onnx.reference import ReferenceEvaluator
    return ReferenceEvaluator(onnx.ModelProto.FromString(model)).run(None, inputs)


ORACLES = {"onnxruntime": onnxruntime, "onnx.reference": reference}


def serve() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a kernel prints is no answer
    while True:
        try:
            name, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = True, ORACLES[name](*arguments)
            packed = pickle.dumps(answer)
        except Exception as error:
            packed = pickle.dumps((False, f"{type(error).__name__}: {error}"[:1000]))
        answers.write(packed)
        answers.flush()


if __name__ == "__main__":
    serve()
