"""Which files of this folder are programs that other interpreters run, and no tests."""

collect_ignore = ["logits_of_phantoms.py", "mlserver_runtime.py"]
