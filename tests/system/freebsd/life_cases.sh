# Starting, stopping, and what is left: nothing.
# shellcheck shell=sh disable=SC2154  # work and patience are the caller's

case_ten_cycles_in_a_jail() {
  start_in b || return
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    start_in a && reaches a 10.1.2.2 && stop_in a && nothing_left a || return
  done
}

case_ten_cycles_on_the_host() {
  write_host_config
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    service_on_host start || saw "start on the host failed" || return
    ifconfig "$host_interface" inet || saw "no $host_interface on the host" || return
    ends_within $((2 * patience)) service_on_host stop || saw "stop on the host failed or hangs" || return
    nothing_left_on_host || return
  done
}

# Host and jail do not take each other's gateways for their own.
case_host_beside_jail() {
  write_host_config
  start_in a && service_on_host start || return
  ends_within $((2 * patience)) service_on_host stop || saw "stop on the host failed or hangs" || return
  service_in a adit status || saw "the host's stop ended the jail's gateway" || return
  service_on_host start && stop_in a && nothing_left a || return
  service_on_host status || saw "the jail's stop ended the host's gateway" || return
  service_on_host stop && nothing_left_on_host
}

case_status_and_reload() {
  start_in a && service_in a adit status || saw "status of what runs is not 0" || return
  before=$(pid_in a)
  echo 'nonsense = 1' >>"$(root_of a)/adit/etc/adit/wg0.toml"
  for command in reload restart; do
    fails service_in a adit "$command" >"$work/said" 2>&1 || saw "$command took a wrong file" || return
    grep -q 'wg0.toml:[0-9]*:[0-9]*: .*nonsense' "$work/said" || saw "no place named: $(cat "$work/said")" || return
    [ "$(pid_in a)" = "$before" ] || saw "$command with a wrong file stopped the gateway" || return
  done
  write_config a wg0
  service_in a adit reload || saw "reload failed" || return
  [ "$(pid_in a)" = "$before" ] || saw "reload started another process" || return
  fails service_in a adit start || saw "a second start was not refused" || return
  stop_in a || return
  fails service_in a adit status || saw "status of what does not run is 0"
}

cycle_under_traffic() {
  stop_in a && nothing_left a && start_in a && reaches b 10.1.2.1
}

case_stop_under_traffic() {
  start_both && reach_each_other || return
  in_jail b ping -q -i 0.01 10.1.2.1 &
  in_jail b ping -q -i 0.01 fd00:1:2::1 &
  cycle_under_traffic && cycle_under_traffic && cycle_under_traffic
  result=$?
  in_jail b pkill -x ping
  return $result
}

case_destroy_from_outside() {
  start_both && reaches a 10.1.2.2 || return
  ends_within "$patience" in_jail a ifconfig wg0 destroy || saw "ifconfig wg0 destroy failed or hangs" || return
  wait_for "$patience" fails service_in a adit status || saw "adit runs on without its interface" || return
  wait_for "$patience" nothing_left_but_records || return
  start_in a && reaches a 10.1.2.2 && stop_in a && nothing_left a
}

# The record of its interface is for the next start, which takes it away.
nothing_left_but_records() {
  rm -f "$(root_of a)/var/run/adit/wg0.interface" "$(root_of a)/var/run/adit/wg0.log"
  nothing_left a
}

case_kill_and_start() {
  start_both || return
  for _ in 1 2 3; do
    in_jail a pkill -KILL -x adit || saw "nothing to kill" || return
    wait_for "$patience" fails service_in a adit status || saw "status of what was killed is 0" || return
    start_in a && reaches a 10.1.2.2 || return
  done
  stop_in a && nothing_left a
}

# Unit numbers of tun are the whole kernel's, names are each jail's.
case_two_tun0() {
  for each in a b; do
    write_config "$each" tun0
    service_in "$each" adit start || saw "tun0 in $each was refused" || return
  done
  reach_each_other || return
  for each in a b; do
    in_jail "$each" ifconfig tun0 || saw "no tun0 in $each" || return
  done
  stop_in a && stop_in b && nothing_left a && nothing_left b
}

# The message says which rule the host needs, and failing leaves no interfaces behind.
case_hidden_tun() {
  exists hidden || make_jail hidden "$rules_without_tun" || return
  config=$(root_of hidden)/adit/etc/adit/wg0.toml
  printf '[interface]\nname = "wg0"\nprivate_key = "%s"\naddresses = ["10.1.3.1/24"]\n' "$(cat "$work/a.key")" >"$config"
  chmod 600 "$config"
  for _ in 1 2 3; do
    fails service_in hidden adit start >"$work/said" 2>&1 || saw "it started without a tun" || return
    grep -q "add path 'tun\*' unhide" "$work/said" || saw "no rule in: $(cat "$work/said")" || return
    wait_for "$patience" nothing_left hidden || return
  done
}

# jail -r ends with adit running inside: nothing is dying, nothing comes back to the host.
case_jail_removal() {
  interfaces=$(ifconfig -l)
  make_jail removed "$rules_with_tun" || return
  config=$(root_of removed)/adit/etc/adit/wg0.toml
  printf '[interface]\nname = "wg0"\nprivate_key = "%s"\naddresses = ["10.1.3.1/24"]\n' "$(cat "$work/a.key")" >"$config"
  chmod 600 "$config"
  service_in removed adit start || saw "service adit start failed" || return
  ends_within "$patience" jail -r "$(jail_name removed)" || saw "jail -r hangs" || return
  wait_for "$patience" fails is_dying || saw "the jail stays dying" || return
  remove_jail removed
  [ "$(ifconfig -l)" = "$interfaces" ] || saw "interfaces were $interfaces and are $(ifconfig -l)"
}

is_dying() { jls -d -j "$(jail_name removed)" jid >/dev/null 2>&1; }
