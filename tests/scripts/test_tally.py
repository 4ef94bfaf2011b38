"""The closing line counts what the logs say, and nothing run is a failure."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

TALLY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/tally.py")


class Tally(unittest.TestCase):
    def run_on(self, results, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log.json")
            with open(log, "w", encoding="utf-8") as out:
                for number, result in enumerate(results):
                    out.write(json.dumps({"name": f"t{number}", "result": result}) + "\n")
            done = subprocess.run([sys.executable, TALLY, *arguments, log], capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()

    def test_counts(self):
        code, lines = self.run_on(["OK", "OK", "SKIP", "EXPECTEDFAIL"])
        self.assertEqual((code, lines[-1]), (0, "3 passed, 0 failed, 1 skipped"))

    def test_every_other_result_fails(self):
        code, lines = self.run_on(["OK", "FAIL", "TIMEOUT", "ERROR", "UNEXPECTEDPASS"])
        self.assertEqual((code, lines[-1]), (1, "1 passed, 4 failed, 0 skipped"))

    def test_extra(self):
        code, lines = self.run_on(["OK"], "--extra-passed", "2", "--extra-failed", "1")
        self.assertEqual((code, lines[-1]), (1, "3 passed, 1 failed, 0 skipped"))

    def test_nothing_ran(self):
        self.assertEqual(self.run_on([])[0], 1)
        done = subprocess.run([sys.executable, TALLY, "/nonexistent"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
