# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Sourced by scripts that run long stages. They set `log`, the file that gets the stages' output.

ticker=
trap 'if [ -n "$ticker" ]; then kill "$ticker" 2>/dev/null || true; fi' EXIT

# Shows the log's last line: on a terminal every second, else every 30 seconds.
tick() {
  local period=30
  [ -t 1 ] && period=1
  local line
  exec 7<> <(:) # nothing is ever written: a read from it is a sleep that dies with its shell
  while ! read -rt $period -u 7; do
    line=$(tail -n 1 "$log" | tr -cd '[:print:]' | cut -c1-90)
    if [ -t 1 ]; then printf '\r\033[K[%5d s]   %s' $SECONDS "$line"
    else printf '[%5d s]   %s\n' $SECONDS "$line"; fi
  done
}

# stage NAME ADVICE COMMAND...: runs the command with its output in the log. A function given as
# the command chains its steps: errexit does not hold in there.
stage() {
  local name=$1 advice=$2 status=0
  shift 2
  printf '[%5d s] %s\n' $SECONDS "$name"
  echo "== $name" >>"$log"
  tick 8>&- &
  ticker=$!
  ("$@") >>"$log" 2>&1 8>&- || status=$?
  kill "$ticker" 2>/dev/null && wait "$ticker" 2>/dev/null || true
  ticker=
  [ -t 1 ] && printf '\r\033[K'
  if [ $status -ne 0 ]; then
    tail -n 40 "$log" >&2
    echo "$0: failed: $name. The whole log is in $log." >&2
    echo "$advice" >&2
    exit 1
  fi
}
