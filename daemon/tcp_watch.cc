#include "daemon/tcp_watch.h"

#include <memory>
#include <utility>

namespace adit::daemon {

struct TcpWatch::Handle {
  uv_poll_t poll;
  int wanted;
  Handler handler;

  static void on_event(uv_poll_t* poll, int status, int events) {
    auto* handle = static_cast<Handle*>(poll->data);
    if (status < 0) handle->wanted = 0;  // libuv has stopped it
    handle->handler({(events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0, status < 0});
  }
};

TcpWatch::TcpWatch(Loop& loop, int fd, Handler handler) {
  std::unique_ptr<Handle> handle(new Handle{{}, 0, std::move(handler)});
  check_uv("watch descriptor", uv_poll_init(loop.raw(), &handle->poll, fd));
  handle_ = handle.release();
  handle_->poll.data = handle_;
}

TcpWatch::~TcpWatch() {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll),
           [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
}

void TcpWatch::want(bool to_read, bool to_write) {
  const int wanted = (to_read ? UV_READABLE : 0) | (to_write ? UV_WRITABLE : 0);
  if (wanted == handle_->wanted) return;
  handle_->wanted = wanted;
  if (wanted == 0) {
    uv_poll_stop(&handle_->poll);
    return;
  }
  check_uv("watch descriptor", uv_poll_start(&handle_->poll, wanted, Handle::on_event));
}

size_t TcpWatch::size() noexcept { return sizeof(Handle); }

}  // namespace adit::daemon
