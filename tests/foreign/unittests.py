# SPDX-License-Identifier: MIT
"""unittests.py FILE NAME: runs a module or a test of CPython's and writes lines "TEST RESULT" to FILE. Those that FILE has
already are not run again, so after a test that hung, which ends this process, it goes on with the next when run again."""
import faulthandler
import os
import sys
import unittest
from test import support

LIMIT = 60  # seconds for a test


class Results(unittest.TextTestResult):
    def note(self, test, result):
        print(name(test), result, file=RESULTS, flush=True)

    def startTest(self, test):
        faulthandler.dump_traceback_later(LIMIT, exit=True)
        self.note(test, "hung")  # unless a later line says more
        super().startTest(test)

    def stopTest(self, test):
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)

    def addSuccess(self, test):
        self.note(test, "passed")
        super().addSuccess(test)

    def addFailure(self, test, error):
        self.note(test, "failed")
        super().addFailure(test, error)

    def addError(self, test, error):
        self.note(test, "failed")
        super().addError(test, error)

    def addSkip(self, test, reason):
        self.note(test, "skipped")
        super().addSkip(test, reason)

    def addExpectedFailure(self, test, error):
        self.note(test, "passed")
        super().addExpectedFailure(test, error)

    def addSubTest(self, test, subtest, error):
        if error:
            self.note(test, "failed")
        super().addSubTest(test, subtest, error)


def name(test):
    return test.id().removeprefix("test.").replace(" ", "_")


def each(tests):
    for test in tests:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


def wanted(test, done):
    return test not in done and NOT_TCP not in test


def left(suite, done):
    """The suite, without the tests that are done; its structure stays, for setUpModule() and setUpClass()."""
    return unittest.TestSuite(left(test, done) if isinstance(test, unittest.TestSuite) else test
                              for test in suite if isinstance(test, unittest.TestSuite) or wanted(name(test), done))


file, chosen = sys.argv[1:]
NOT_TCP = "VSOCK"  # such a test hangs on some virtual machines
done = {line.split()[0] for line in open(file)} if os.path.exists(file) else set()
RESULTS = open(file, "a")
# There is no network. test_socketserver asks for one, but stays on this host.
support.use_resources = ["network"] if chosen.startswith("test_socketserver") else []
suite = left(unittest.defaultTestLoader.loadTestsFromName("test." + chosen), done)
unittest.TextTestRunner(resultclass=Results, verbosity=2).run(suite)
