#!/bin/sh
# What adit promises on FreeBSD, tried on a FreeBSD machine: as root, "sh freebsd.sh /path/to/adit [CASE...]".
#
# A line for each case: "ok", "skipped" or "FAILED" with what was seen; the exit status is 0 if none failed.  It needs
# the base system only, makes jails, addresses and keys of its own, waits for conditions for as long as a slow machine
# may take, and takes everything away again.  Nothing of the host is changed meanwhile but for kernel modules (if_wg,
# if_tuntap) that are loaded and interfaces that come and go.
#
#      client  198.51.100.2 ---- 198.51.100.1  a  192.0.2.1 ---- 192.0.2.2  b       three VNET jails, two epairs
#              2001:db8:2::2     2001:db8:2::1    2001:db8:1::1   2001:db8:1::2
#                                10.1.2.1, fd00:1:2::1  ==wg0==  10.1.2.2, fd00:1:2::2
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/freebsd/report.sh
. "$here/freebsd/report.sh"
# shellcheck source=tests/system/freebsd/jails.sh
. "$here/freebsd/jails.sh"
# shellcheck source=tests/system/freebsd/gateways.sh
. "$here/freebsd/gateways.sh"
# shellcheck source=tests/system/freebsd/tunnel_cases.sh
. "$here/freebsd/tunnel_cases.sh"
# shellcheck source=tests/system/freebsd/life_cases.sh
. "$here/freebsd/life_cases.sh"

all_cases="two_jails_ping forward_udp forward_udp_over_ipv6 status_and_reload wg_quick kernel_peer
  ten_cycles_in_a_jail ten_cycles_on_the_host host_beside_jail stop_under_traffic destroy_from_outside kill_and_start
  two_tun0 hidden_tun drop_in ten_cycles_of_adit_wg jail_removal"

programs="awk cp daemon date devfs env find grep ifconfig jail jexec jls kldload kldstat ldd limits mktemp mount nc pgrep
  ping pkill ps realpath route sed service sockstat sysctl umount wg"

usage() {
  echo "usage: $0 ADIT [CASE...]" >&2
  echo "cases: $all_cases" >&2
  exit 2
}

check_machine() {
  if [ "$(uname -s)" != FreeBSD ] || [ "$(id -u)" -ne 0 ]; then
    echo "$0: needs FreeBSD and root" >&2
    exit 2
  fi
  for program in $programs; do
    command -v "$program" >/dev/null && continue
    echo "$0: needs $program of the base system" >&2
    exit 2
  done
}

main() {
  [ -x "${1:-}" ] || usage
  adit=$(realpath "$1")
  shift
  check_machine
  work=$(mktemp -d /tmp/adit-test.XXXXXX)
  trap 'take_away' EXIT
  trap 'exit 1' INT TERM HUP
  make_everything >"$work/setup.log" 2>&1 || {
    echo "FAILED: setup: $(tail -n 3 "$work/setup.log" | tr '\n' ' ')"
    exit 1
  }
  # shellcheck disable=SC2086  # a list
  [ $# -gt 0 ] || set -- $all_cases
  for case in "$@"; do
    try "$case"
  done
  echo "$passed ok, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
}

main "$@"
