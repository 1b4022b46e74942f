"""A gateway that is stopped and started again while players play."""

import os
import signal
import unittest

import factorio
import lab
from test_reload import Traffic


class Restart(factorio.FactorioTest):
    def restart(self, number=signal.SIGTERM):
        self.gateway.popen.send_signal(number)
        self.gateway.wait()
        return self.start_gateway()

    def test_flows_go_on_with_their_ports_and_the_tunnel_at_once(self):
        self.start_everything()
        players = [self.player(self.players, self.PUBLIC[i % 2], port)
                   for i, port in enumerate((self.SERVICE[1], self.SERVICE6[1]) * 4)]
        for player in players:
            self.assertTrue(player.is_answered())
        sources = set(self.service.sources)
        gateway = self.restart()
        gateway.wait_for_log(f"{len(players)} flows of before go on")
        self.assertEqual(self.gateway.state_file().read_text(), "")
        gateway.wait_for_handshake(5)  # at once, not when home finds out by itself
        for player in players:
            self.assertTrue(player.is_answered())
        self.assertEqual(self.service.sources, sources)
        self.assertEqual(gateway.forward("factorio")["flows"], 4)

    def test_a_service_may_speak_first_after_the_restart(self):
        self.start_everything()
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        self.assertTrue(player.is_answered())
        self.restart().wait_for_handshake(5)
        source = next(iter(self.service.sources))
        speaker = next(key.fileobj for key in self.service.selector.get_map().values()
                       if key.fileobj is not self.service.end and key.fileobj.getsockname()[1] == self.SERVICE[1])
        speaker.sendto(b"are you still there?", source)
        self.assertEqual(player.receive(), b"are you still there?")

    def test_a_stall_is_short(self):
        self.start_everything()
        traffic = Traffic(self.player(self.players, self.PUBLIC[0], self.SERVICE[1]), 1000)
        traffic.flows()
        sources = set(self.service.sources)
        self.restart()
        traffic.flows()
        lost = traffic.lost()
        self.assertEqual(self.service.sources, sources)
        self.assertLess(lost, traffic.sent)
        print(f"{lost} of {traffic.sent} datagrams lost at 1,000 a second")

    def test_a_changed_configuration_decides_what_goes_on(self):
        self.start_everything()
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        self.assertTrue(player.is_answered())
        self.gateway.popen.send_signal(signal.SIGTERM)
        self.gateway.wait()
        gateway = self.start_gateway(forward={"from": ["192.0.2.0/24"]})
        gateway.wait_for_log("0 flows of before go on")
        self.assertFalse(player.is_answered())

    def test_a_state_file_that_is_not_ours_is_said_and_passed_over(self):
        gateway = self.start_everything()
        file = self.gateway.state_file()
        gateway.popen.send_signal(signal.SIGTERM)
        gateway.wait()
        file.write_text("[" * 100000)
        file.chmod(0o600)
        gateway = self.start_gateway()
        self.assertIn(f"starting without flows of before: {file}: not what adit writes", gateway.log())
        self.assertEqual(file.read_text(), "")

    def test_after_a_kill_there_is_nothing_to_go_on_with(self):
        self.start_everything()
        player = self.player(self.players, self.PUBLIC[0], self.SERVICE[1])
        self.assertTrue(player.is_answered())
        self.gateway.kill()
        os.unlink(self.gateway.control_socket())
        gateway = self.start_gateway()
        self.assertNotIn("of before", gateway.log())
        lab.wait_until(player.is_answered, "home calls again", 60)


if __name__ == "__main__":
    unittest.main()
