#include "daemon/worker.h"

namespace adit::daemon {

Worker::Worker(Core& core, Ports& ports, size_t index, size_t slots, size_t largest_packet, Loop* everything)
    : ports_(ports),
      index_(index),
      outbound_(core, ports, index, slots, largest_packet),
      inbound_(core, ports, index, slots, largest_packet),
      outbound_thread_(everything == nullptr ? std::make_unique<DataThread>() : nullptr),
      inbound_thread_(everything == nullptr ? std::make_unique<DataThread>() : nullptr),
      outbound_loop_(everything == nullptr ? outbound_thread_->loop() : *everything),
      inbound_loop_(everything == nullptr ? inbound_thread_->loop() : *everything) {}

void Worker::watch_tun() {
  if (index_ >= ports_.tun.size()) return;
  const int fd = ports_.tun[index_].fd();
  outbound_loop_.on_readable(fd, [this, fd] {
    if (!outbound_.serve_tun()) outbound_loop_.unwatch(fd);
  });
}

void Worker::watch_clients(forward::ListenerId listener) {
  outbound_loop_.on_readable(ports_.clients[listener].fd(), [this, listener] { outbound_.serve_clients(listener); });
}

void Worker::watch_peers() {
  for (UdpSocket& socket : ports_.peers[index_]) {
    inbound_loop_.on_readable(socket.fd(), [this, &socket] { inbound_.serve(socket); });
  }
}

void Worker::unwatch_peers() {
  if (index_ >= ports_.peers.size()) return;
  for (const UdpSocket& socket : ports_.peers[index_]) inbound_loop_.unwatch(socket.fd());
}

void Worker::unwatch_clients() {
  for (const UdpSocket& socket : ports_.clients) outbound_loop_.unwatch(socket.fd());
}

void Worker::unwatch_tun() {
  for (const Tun& tun : ports_.tun) outbound_loop_.unwatch(tun.fd());
}

void Worker::start() {
  if (outbound_thread_) outbound_thread_->start();
  if (inbound_thread_) inbound_thread_->start();
}

void Worker::stop() noexcept {
  if (outbound_thread_) outbound_thread_->stop();
  if (inbound_thread_) inbound_thread_->stop();
}

}  // namespace adit::daemon
