#include "daemon/lab/echo_server.h"

namespace adit::lab {

void EchoServer::answer(PacketPool& pool) {
  socket_.read(pool, kBatchSize, batch_, drops_);
  for (const Datagram& datagram : batch_) ++sources_[datagram.remote];
  socket_.write(batch_, drops_);
  batch_.clear();
}

}  // namespace adit::lab
