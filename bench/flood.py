#!/usr/bin/env python3
"""A handshake flood against an established session: how much of its throughput it keeps.

    bench/flood.py [--rounds N] [--rate MESSAGES_PER_SECOND] [--against PROGRAM]

Each round runs adit and a peer in turn, in namespaces of their own: a session between two machines, then the same with
a third machine sending handshake initiations with a right mac1 from spoofed addresses, at the same bounded rate for
both.  Prints, for each program, throughput without and with the flood, the share that is kept, how long a new honest
peer took to get its handshake through, and the memory before and after.
"""

import argparse
import hashlib
import json
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from lab_tunnel import TUNNEL_PORT, Transfer, Tunnel, iperf_server, lab

SECONDS = 5


def initiation(public_key):
    """148 bytes that only mac1 speaks for."""
    body = struct.pack("<II", 1, 7) + bytes(range(108))
    key = hashlib.blake2s(b"mac1----" + public_key).digest()
    return body + hashlib.blake2s(body, key=key, digest_size=16).digest() + bytes(16)


def ip_packet(number, destination, payload):
    """IPv4 and UDP in front of a payload, from an address of the benchmark network 198.18.0.0/15 (RFC 2544)."""
    source = struct.pack("!I", 0xC6120000 + number % 131072)
    udp = struct.pack("!HHHH", 1024 + number % 60000, TUNNEL_PORT, 8 + len(payload), 0)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, source, destination)
    return header + udp + payload


def flood(target, public_key, rate, seconds):
    """Runs inside the attacker's namespace; prints how many it has sent."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    destination = socket.inet_aton(target)
    message = initiation(bytes.fromhex(public_key))
    packets = [ip_packet(number * 7919, destination, message) for number in range(20000)]
    begin, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - begin) < seconds:
        for _ in range(min(int(elapsed * rate) - sent, 200)):
            raw.sendto(packets[sent % len(packets)], (target, 0))
            sent += 1
        time.sleep(0.0005)
    print(sent)


def throughput(node, server, seconds):
    """Gbit/s of one TCP flow."""
    return Transfer(node, server, seconds).received()["bits_per_second"] / 1e9


def one_round(program, rate, directory):
    nodes = {name: lab.Node(name, directory) for name in ("victim", "home", "attacker", "friend")}
    victim, home, attacker, friend = nodes.values()
    for number, node in enumerate((home, attacker, friend), 1):
        lab.cable(node, "eth0", victim, f"eth{number}")
        node.add_address("eth0", f"192.0.2.{number * 16 + 2}/28")
        victim.add_address(f"eth{number}", f"192.0.2.{number * 16 + 1}/28")
    victim.ip("route", "add", "default", "via", "192.0.2.34")  # answers to spoofed addresses go somewhere
    keys = {name: lab.Keys() for name in nodes}
    processes = []
    try:
        end = Tunnel(program, victim, "10.9.0.1", keys["victim"], keys["home"], "10.9.0.2")
        processes.append(end.process)
        victim.run("wg", "set", end.interface, "peer", keys["friend"].public, "allowed-ips", "10.9.0.3/32", check=True)
        far = Tunnel(program, home, "10.9.0.2", keys["home"], keys["victim"], "10.9.0.1", "192.0.2.17")
        processes.append(far.process)
        lab.wait_until(lambda: end.handshaken(keys["home"].public), "session")
        processes.append(iperf_server(victim))
        calm = throughput(home, "10.9.0.1", SECONDS)
        before = end.resident_kib()

        key = victim.run("sh", "-c", f"wg show {end.interface} public-key | base64 -d | od -An -tx1 | tr -d ' \\n'").stdout
        attack = subprocess.Popen(attacker.command(sys.executable, __file__, "--flood", "192.0.2.33", key, rate,
                                                   SECONDS + 13), stdout=subprocess.PIPE, text=True)
        time.sleep(1)  # the flood is under way, whatever the programs do about it
        flooded = throughput(home, "10.9.0.1", SECONDS)
        begin = time.monotonic()
        late = Tunnel(program, friend, "10.9.0.3", keys["friend"], keys["victim"], "10.9.0.1", "192.0.2.49")
        processes.append(late.process)
        patience = 10
        while not late.handshaken(keys["victim"].public) and time.monotonic() - begin < patience:
            time.sleep(0.05)
        newcomer = time.monotonic() - begin
        sent = int(attack.communicate(timeout=60)[0])
        return {"calm": calm, "flooded": flooded, "kept": flooded / calm, "newcomer": newcomer, "sent": sent,
                "kib_before": before, "kib_after": end.resident_kib()}
    finally:
        for process in processes:
            process.kill()
        for name in nodes:
            lab.run("ip", "netns", "del", name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--against", default="wireguard-go")
    parser.add_argument("--flood", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.flood:
        target, key, rate, seconds = options.flood
        return flood(target, key, int(rate), int(seconds))
    if lab.IMPOSSIBLE:
        sys.exit(lab.IMPOSSIBLE)
    programs = {"adit": lab.ADIT_RELEASE, pathlib.Path(options.against).name: options.against}
    results = {name: [] for name in programs}
    for _ in range(options.rounds):
        for name, program in programs.items():
            with tempfile.TemporaryDirectory() as directory:
                results[name].append(one_round(program, options.rate, pathlib.Path(directory)))
                print(name, json.dumps(results[name][-1]), flush=True)
    for name, rounds in results.items():
        middle = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        print(f"{name:14} calm {middle['calm']:.2f} Gbit/s, flooded {middle['flooded']:.2f}, kept {middle['kept']:.0%};"
              f" newcomer {middle['newcomer']:.1f} s; {middle['kib_before']} -> {middle['kib_after']} KiB")


if __name__ == "__main__":
    main()
