# VNET jails from the host's own base system, and cables between them.
# shellcheck shell=sh disable=SC2154  # work, here and adit are the caller's

jail_prefix=adit_test_$$
rules_with_tun=$((20000 + $$ % 20000))
rules_without_tun=$((rules_with_tun + 20000))
cables=

jail_name() { echo "${jail_prefix}_$1"; }
root_of() { echo "$work/$1"; }

in_jail() {
  jail=$(jail_name "$1")
  shift
  jexec "$jail" env PATH=/sbin:/bin:/usr/sbin:/usr/bin LD_LIBRARY_PATH=/adit/lib "$@"
}

exists() { jls -j "$(jail_name "$1")" jid >/dev/null 2>&1; }

# What jails usually have, and tun devices or not.
make_rules() {
  for rules in "$rules_with_tun" "$rules_without_tun"; do
    devfs rule -s "$rules" add hide || return 1
    for device in null zero random urandom fd 'fd/*' stdin stdout stderr; do
      devfs rule -s "$rules" add path "$device" unhide || return 1
    done
  done
  devfs rule -s "$rules_with_tun" add path 'tun*' unhide
}

make_root() {
  root=$(root_of "$1")
  mkdir -p "$root/dev" "$root/tmp" "$root/root" "$root/var/run" "$root/var/log" "$root/var/db" || return 1
  for directory in bin lib libexec sbin usr; do
    mkdir "$root/$directory" && mount -t nullfs -o ro "/$directory" "$root/$directory" || return 1
  done
  cp -R /etc "$root/etc" || return 1
  rm -rf "$root/etc/rc.conf" "$root/etc/rc.conf.local" "$root/etc/rc.conf.d" "$root/etc/fstab"
  make_prefix "$root/adit" /adit
  cat >"$root/etc/rc.conf" <<TEXT
local_startup="/adit/etc/rc.d"
adit_enable="YES"
adit_profiles="wg0"
adit_env="LD_LIBRARY_PATH=/adit/lib"
adit_start_timeout="$patience"
adit_stop_timeout="$patience"
adit_wg_enable="YES"
adit_wg_interfaces="wg0"
adit_wg_env="LD_LIBRARY_PATH=/adit/lib"
adit_wg_timeout="$patience"
TEXT
}

# adit, the libraries that are not the base system's, and the rc.d scripts; make_prefix DIRECTORY ITS-NAME-INSIDE
make_prefix() {
  mkdir -p "$1/bin" "$1/lib" "$1/etc/adit" "$1/etc/wireguard" "$1/etc/rc.d"
  cp "$adit" "$1/bin/adit"
  ldd -f '%p\n' "$adit" 2>/dev/null | grep -vE '^(/lib|/usr/lib)/' | sort -u | while read -r library; do
    if [ -f "$library" ]; then cp "$library" "$1/lib/"; fi
  done
  for script in adit adit_wg; do
    sed "s,%%PREFIX%%,$2,g" "$here/../../rc.d/$script.in" >"$1/etc/rc.d/$script"
    chmod 755 "$1/etc/rc.d/$script"
  done
}

# make_jail NAME RULES [INTERFACE...]
make_jail() {
  made=$1 rules=$2
  shift 2
  make_root "$made" || return 1
  words=
  for interface in "$@"; do
    words="$words vnet.interface=$interface"
  done
  # shellcheck disable=SC2086  # a list
  jail -c name="$(jail_name "$made")" path="$(root_of "$made")" host.hostname="$made" vnet persist mount.devfs \
    devfs_ruleset="$rules" $words || return 1
  in_jail "$made" ifconfig lo0 127.0.0.1/8 up
  in_jail "$made" sysctl -q net.inet6.ip6.dad_count=0
}

# Sets cable: the name without the a and b of its ends.
make_cable() {
  cable=$(ifconfig epair create) || return 1
  cable=${cable%a}
  cables="$cables $cable"
}

# give JAIL INTERFACE IPV4 IPV6
give() {
  in_jail "$1" ifconfig "$2" inet "$3/24" up || return 1
  in_jail "$1" ifconfig "$2" inet6 -ifdisabled || return 1
  in_jail "$1" ifconfig "$2" inet6 "$4/64" alias
}

make_everything() {
  kldload -nq if_tuntap if_epair
  make_rules || return 1
  make_cable || return 1
  inner=$cable
  make_cable || return 1
  outer=$cable
  make_jail a "$rules_with_tun" "${inner}a" "${outer}a" || return 1
  make_jail b "$rules_with_tun" "${inner}b" || return 1
  make_jail client "$rules_with_tun" "${outer}b" || return 1
  give a "${inner}a" 192.0.2.1 2001:db8:1::1 || return 1
  give b "${inner}b" 192.0.2.2 2001:db8:1::2 || return 1
  give a "${outer}a" 198.51.100.1 2001:db8:2::1 || return 1
  give client "${outer}b" 198.51.100.2 2001:db8:2::2 || return 1
  make_prefix "$work/host" "$work/host"
  make_keys
}

mounts_below() { mount -p | awk '{ print $2 }' | grep "^$1/" | sort -r; }

remove_jail() {
  if exists "$1"; then jail -r "$(jail_name "$1")"; fi
  wait_for "$patience" fails exists "$1"
  mounts_below "$(root_of "$1")" | while read -r place; do umount -f "$place"; done
}

take_away() {
  {
    stop_everything
    for each in a b client hidden removed; do remove_jail "$each"; done
    for cable in $cables; do ends_within "$patience" ifconfig "${cable}a" destroy; done
    devfs rule -s "$rules_with_tun" delset
    devfs rule -s "$rules_without_tun" delset
  } >"$work/take_away.log" 2>&1
  # Below a mount would be the host's own files.
  if [ -n "$(mounts_below "$work")" ]; then
    echo "$0: still mounted below $work" >&2
    return 1
  fi
  if [ "$failed" -eq 0 ]; then rm -rf "$work"; else echo "logs are in $work"; fi
}
