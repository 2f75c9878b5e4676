#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # scripts in quotes
# A failing assertion is reported with its line, wherever it stands in a check.
. "${0%/*}/../../lib/harness.sh"

probe=$WORK/probe.sh
# reports LINE TEXT: a script whose check runs the body on stdin fails at that line, and its output shows it.
reports() {
  mkdir -p inner
  {
    echo ". '$TOP/tests/lib/harness.sh'"
    echo 'body_of_test() {'
    cat
    printf '%s\n' '  echo the end' '}' 'check "a name" body_of_test'
  } >probe.sh
  env WORK="$WORK/inner" bash "$probe" >got 2>&1
  cat got
  has got '^not ok a name$'
  lacks got 'the end'
  has got "^    at $probe:$1: $2\$"
}
first_line() { reports 3 'has missing x' <<<'  has missing x'; }
middle() {
  reports 4 'saw_nothing' <<'END'
  true
  saw_nothing
  true
END
}
in_loop() {
  reports 3 'for i in 1 2; do test [$]i = 2; done' <<<'  for i in 1 2; do test $i = 2; done'
}
inner_function() {
  reports 4 '\[ 1 = 2 \]' <<'END'
  inner() {
    [ 1 = 2 ]
    true
  }
  inner
END
}
inside_prints() {
  reports 4 'test 3 = 4' <<'END'
  inner() {
    test 3 = 4
    echo text
  }
  prints text inner
END
}
in_substitution() {
  reports 4 'false' <<'END'
  inner() {
    false
    echo text
  }
  text=$(inner)
END
}
unexpected_success() { reports 3 'fails true' <<<'  fails true'; }
wrong_status() { reports 3 'ends_with 3 false' <<<'  ends_with 3 false'; }
# Where bash would ignore `set -e`, check refuses to run.
in_condition() {
  mkdir -p inner
  echo ". '$TOP/tests/lib/harness.sh'; if check name true; then echo; fi" >probe.sh
  env WORK="$WORK/inner" bash "$probe" >got 2>&1
  has got '^not ok name$'
  has got 'check is called in a condition'
}

check "the first line" first_line
check "a line in the middle" middle
check "a loop" in_loop
check "a function that the body calls" inner_function
check "a function whose output is compared" inside_prints
check "a function whose output is substituted" in_substitution
check "a command that should have failed" unexpected_success
check "a wrong exit status" wrong_status
check "a check in a condition" in_condition
