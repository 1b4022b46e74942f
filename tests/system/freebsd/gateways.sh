# adit as gateways of the jails and of the host: their files, their services, and that nothing is left of them.
# shellcheck shell=sh disable=SC2154  # work, adit and patience are the caller's

host_profile=adittest
host_interface=adittest0

make_keys() {
  for each in a b host; do
    "$adit" genkey >"$work/$each.key" || return 1
    "$adit" pubkey <"$work/$each.key" >"$work/$each.pub" || return 1
  done
}

number_of() { if [ "$1" = a ]; then echo 1; else echo 2; fi; }
other_of() { if [ "$1" = a ]; then echo b; else echo a; fi; }

# write_config JAIL INTERFACE: the file of a gateway in a or b, where a has the forward.
write_config() {
  number=$(number_of "$1") other=$(other_of "$1") others_number=$((3 - $(number_of "$1")))
  config=$(root_of "$1")/adit/etc/adit/wg0.toml
  cat >"$config" <<TEXT
[interface]
name = "$2"
private_key = "$(cat "$work/$1.key")"
listen_port = 51820
addresses = ["10.1.2.$number/24", "fd00:1:2::$number/64"]
[[peer]]
name = "$other"
public_key = "$(cat "$work/$other.pub")"
endpoint = "192.0.2.$others_number:51820"
allowed_ips = ["10.1.2.$others_number/32", "fd00:1:2::$others_number/128"]
TEXT
  chmod 600 "$config"
  [ "$1" = a ] || return 0
  cat >>"$config" <<TEXT
[[forward]]
name = "game"
listen = ["198.51.100.1:34197", "[2001:db8:2::1]:34197"]
to = "10.1.2.2:34197"
TEXT
}

# write_conf JAIL: the same tunnel as a file of wg(8), with wg-quick's Address.
write_conf() {
  number=$(number_of "$1") other=$(other_of "$1") others_number=$((3 - $(number_of "$1")))
  conf=$(root_of "$1")/adit/etc/wireguard/wg0.conf
  cat >"$conf" <<TEXT
[Interface]
PrivateKey = $(cat "$work/$1.key")
ListenPort = 51820
Address = 10.1.2.$number/24, fd00:1:2::$number/64
[Peer]
PublicKey = $(cat "$work/$other.pub")
Endpoint = 192.0.2.$others_number:51820
AllowedIPs = 10.1.2.$others_number/32, fd00:1:2::$others_number/128
TEXT
  chmod 600 "$conf"
  grep -v '^Address' "$conf" >"$conf.wg"
}

service_in() {
  where=$1
  shift
  in_jail "$where" service "$@"
}

start_in() {
  write_config "$1" wg0
  service_in "$1" adit start || saw "service adit start in $1 failed"
}

start_both() { start_in a && start_in b; }

stop_in() {
  ends_within $((2 * patience)) service_in "$1" adit stop || saw "service adit stop in $1 failed or hangs"
}

pid_in() { cat "$(root_of "$1")/var/run/adit/wg0.pid"; }

# nothing_left JAIL: no interface, no process, no socket, no pid file.
nothing_left() {
  interfaces=$(in_jail "$1" ifconfig -l)
  case " $interfaces " in
    *" wg"* | *" tun"*)
      saw "left in $1: interfaces $interfaces"
      return ;;
  esac
  processes=$(pgrep -j "$(jail_name "$1")" -lf bin/adit)
  if [ -n "$processes" ]; then
    saw "left in $1: processes $processes"
    return
  fi
  files=$(find "$(root_of "$1")/var/run/adit" "$(root_of "$1")/var/run/wireguard" ! -type d ! -name '*.state' 2>/dev/null)
  [ -z "$files" ] || saw "left in $1: $files"
}

write_host_config() {
  config=$work/host/etc/adit/$host_profile.toml
  cat >"$config" <<TEXT
[interface]
name = "$host_interface"
private_key = "$(cat "$work/host.key")"
addresses = ["10.254.253.1/30"]
TEXT
  chmod 600 "$config"
}

# As service(8) runs it, but from where it is.
service_on_host() {
  env -i HOME=/ PATH=/sbin:/bin:/usr/sbin:/usr/bin adit_start_timeout="$patience" adit_stop_timeout="$patience" \
    adit_env="LD_LIBRARY_PATH=$work/host/lib" "$work/host/etc/rc.d/adit" "one$1" "$host_profile"
}

nothing_left_on_host() {
  if ifconfig "$host_interface" 2>/dev/null; then
    saw "left on the host: $host_interface"
    return
  fi
  processes=$(pgrep -lf "$work/host/bin/adit")
  if [ -n "$processes" ]; then
    saw "left on the host: $processes"
    return
  fi
  for file in "/var/run/wireguard/$host_interface.sock" "/var/run/adit/$host_profile.pid"; do
    if [ -e "$file" ]; then
      saw "left on the host: $file"
      return
    fi
  done
}

# After a case, however it ended.
stop_everything() {
  for each in a b hidden; do
    exists "$each" || continue
    service_in "$each" adit faststop
    in_jail "$each" pkill -KILL -x adit
    if in_jail "$each" ifconfig wg0 2>/dev/null; then
      ends_within "$patience" in_jail "$each" ifconfig wg0 destroy
    fi
  done
  service_on_host stop
  rm -f "/var/run/wireguard/$host_interface.state"
}

pings() { in_jail "$1" ping -c 1 -t 2 "$2"; }

# reaches FROM ADDRESS
reaches() { wait_for "$patience" pings "$1" "$2" || saw "$1 does not reach $2"; }

reach_each_other() {
  reaches a 10.1.2.2 && reaches b 10.1.2.1 && reaches a fd00:1:2::2 && reaches b fd00:1:2::1
}
