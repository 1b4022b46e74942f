# Cases, what they say, and waiting.
# shellcheck shell=sh disable=SC2034,SC2154  # patience is for others, work is the caller's

passed=0 failed=0 skipped=0

# How long what should be quick may take; an emulated machine is a hundred times slower.
patience=${ADIT_TEST_PATIENCE:-120}

# Runs case_NAME.  It returns 0 when all held, 75 when this machine cannot have it.
try() {
  : >"$work/seen"
  "case_$1" >"$work/$1.log" 2>&1
  case $? in
    0)
      passed=$((passed + 1))
      echo "ok: $1" ;;
    75)
      skipped=$((skipped + 1))
      echo "skipped: $1: $(cat "$work/seen")" ;;
    *)
      failed=$((failed + 1))
      echo "FAILED: $1: $(cat "$work/seen") [$(tail -n 4 "$work/$1.log" | tr '\n' ' ')]" ;;
  esac
  stop_everything >>"$work/$1.log" 2>&1
}

# Why the case failed; returns 1.
saw() {
  echo "$*" >"$work/seen"
  return 1
}

skip() {
  echo "$*" >"$work/seen"
  return 75
}

# wait_for SECONDS COMMAND...: whether it succeeds in time.
wait_for() {
  deadline=$(($(date +%s) + $1))
  shift
  until "$@"; do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}

fails() {
  if "$@"; then return 1; fi
}

has_ended() { fails kill -0 "$1" 2>/dev/null; }

# Whether a command that is run in the background ends within the time.
ends_within() {
  limit=$1
  shift
  "$@" &
  background=$!
  wait_for "$limit" has_ended "$background" || {
    kill -KILL "$background"
    return 1
  }
  wait "$background"
}
