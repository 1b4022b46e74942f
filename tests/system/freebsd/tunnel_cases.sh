# What the tunnel carries.
# shellcheck shell=sh disable=SC2154  # work and patience are the caller's

case_two_jails_ping() {
  start_both && reach_each_other && stop_in a && stop_in b && nothing_left a && nothing_left b
}

has_words() { grep -q "$1" "$2"; }

# A datagram of the client reaches a service in b, which sees the gateway, and the client gets its answer.
# forward_from PUBLIC-ADDRESS
forward_from() {
  start_both && reaches a 10.1.2.2 || return
  echo an-answer >"$work/answer"
  echo a-question >"$work/question"
  in_jail b nc -u -l -n -v 10.1.2.2 34197 <"$work/answer" >"$work/service.out" 2>"$work/service.err" &
  wait_for "$patience" listens_in_b || saw "nc does not listen in b" || return
  in_jail client nc -u -n "$1" 34197 <"$work/question" >"$work/client.out" &
  wait_for "$patience" has_words an-answer "$work/client.out" || saw "the client got no answer"
  answered=$?
  in_jail b pkill -x nc
  in_jail client pkill -x nc
  [ "$answered" -eq 0 ] || return
  has_words a-question "$work/service.out" || saw "the service got $(cat "$work/service.out")" || return
  has_words 'from 10\.1\.2\.1 ' "$work/service.err" || saw "no SNAT: $(cat "$work/service.err")"
}

listens_in_b() { in_jail b sockstat -4 -l | grep -q 34197; }

case_forward_udp() { forward_from 198.51.100.1; }
case_forward_udp_over_ipv6() { forward_from 2001:db8:2::1; }

# if_wg in b speaks with adit in a.
case_kernel_peer() {
  kldload -nq if_wg || skip "no if_wg here" || return
  start_in a || return
  write_conf b
  in_jail b ifconfig wg create name wg0 || saw "if_wg: wg0 was not made in b" || return
  in_jail b wg setconf wg0 /adit/etc/wireguard/wg0.conf.wg &&
    in_jail b ifconfig wg0 inet 10.1.2.2/24 &&
    in_jail b ifconfig wg0 inet6 -ifdisabled &&
    in_jail b ifconfig wg0 inet6 fd00:1:2::2/64 alias &&
    in_jail b ifconfig wg0 up || saw "if_wg in b was not configured" || return
  reach_each_other && in_jail b ifconfig wg0 destroy && stop_in a && nothing_left a
}

# wireguard-go's place: adit IFACE, wg(8), and the end by the socket's removal, as wg-quick does it.
case_drop_in() {
  write_conf a
  start_in b || return
  in_jail a /adit/bin/adit wg0 || saw "adit wg0 failed" || return
  in_jail a wg setconf wg0 /adit/etc/wireguard/wg0.conf.wg || saw "wg setconf failed" || return
  in_jail a ifconfig wg0 inet 10.1.2.1/24 && in_jail a ifconfig wg0 inet6 fd00:1:2::1/64 alias || return
  in_jail a ifconfig wg0 up && reach_each_other || return
  in_jail a rm -f /var/run/wireguard/wg0.sock
  wait_for "$patience" nothing_left a
}

case_ten_cycles_of_adit_wg() {
  write_conf a
  start_in b || return
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    service_in a adit_wg start || saw "service adit_wg start failed" || return
    reaches a 10.1.2.2 || return
    ends_within $((2 * patience)) service_in a adit_wg stop || saw "service adit_wg stop failed or hangs" || return
    nothing_left a || return
  done
}

# The wireguard-tools port, if it is installed, takes adit where the kernel has no if_wg.
case_wg_quick() {
  [ -x /usr/local/bin/wg-quick ] || skip "wg-quick is not installed" || return
  fails kldstat -qm if_wg || skip "the kernel has if_wg, which wg-quick prefers" || return
  write_conf a
  start_in b || return
  mkdir -p "$(root_of a)/etc/wireguard" && cp "$(root_of a)/adit/etc/wireguard/wg0.conf" "$(root_of a)/etc/wireguard/"
  in_jail a env WG_QUICK_USERSPACE_IMPLEMENTATION=/adit/bin/adit /usr/local/bin/wg-quick up wg0 ||
    saw "wg-quick up failed" || return
  [ -S "$(root_of a)/var/run/wireguard/wg0.sock" ] || saw "wg-quick did not take adit" || return
  reach_each_other || return
  ends_within $((2 * patience)) in_jail a /usr/local/bin/wg-quick down wg0 || saw "wg-quick down hangs" || return
  wait_for "$patience" nothing_left a
}
