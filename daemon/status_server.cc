#include "daemon/status_server.h"

#include <fcntl.h>
#include <microhttpd.h>

#include <algorithm>
#include <stdexcept>

#include "daemon/tcp_socket.h"

namespace adit::daemon {

/// Called by the thread, through C: nothing may be thrown.
struct StatusServer::Http {
  /// The page's own files and nothing else; what is read here is nobody else's, and not to be kept.
  static constexpr std::pair<const char*, const char*> kHeaders[] = {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
       "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cache-Control", "no-store"},
  };

  struct CloseResponse {
    void operator()(MHD_Response* response) const noexcept { MHD_destroy_response(response); }
  };
  using Response = std::unique_ptr<MHD_Response, CloseResponse>;

  static std::string_view header(MHD_Connection* connection, const char* name) noexcept {
    const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value == nullptr ? "" : value;
  }

  static bool has_body(MHD_Connection* connection) noexcept {
    const std::string_view length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return !header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty() || (!length.empty() && length != "0");
  }

  static Response make_response(const HttpAnswer& answer) {
    using Body = std::shared_ptr<const std::string>;
    auto body = std::make_unique<Body>(answer.body);
    Response response(MHD_create_response_from_buffer_with_free_callback_cls(
        answer.body->size(), const_cast<char*>(answer.body->data()),
        [](void* kept) { delete static_cast<Body*>(kept); }, body.get()));
    if (!response) throw std::bad_alloc();
    (void)body.release();  // the response's
    const auto add = [&](const char* name, const char* value) {
      if (MHD_add_response_header(response.get(), name, value) != MHD_YES) throw std::bad_alloc();
    };
    for (const auto& [name, value] : kHeaders) add(name, value);
    add(MHD_HTTP_HEADER_CONTENT_TYPE, std::string(answer.type).c_str());
    if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED) add(MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    return response;
  }

  /// Once its headers are there a request is answered, whatever it goes on to say.
  static MHD_Result on_request(void* server, MHD_Connection* connection, const char* path, const char* method,
                               const char*, const char*, size_t*, void**) noexcept {
    try {
      const HttpRequest request = {method, path, header(connection, MHD_HTTP_HEADER_HOST),
                                   header(connection, MHD_HTTP_HEADER_ACCEPT)};
      const HttpAnswer answer = static_cast<StatusServer*>(server)->site_.answer(request);
      const Response response = make_response(answer);
      const bool is_last = has_body(connection);  // what follows would be taken for the next request
      if (is_last) MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONNECTION, "close");
      return MHD_queue_response(connection, answer.status, response.get());
    } catch (const std::exception&) {
      return MHD_NO;
    }
  }
};

StatusServer::StatusServer(Loop& loop, const Endpoint& listen, std::string version, std::function<Status()> take)
    : listen_(listen), source_(loop, std::move(take)), site_(std::move(version), [this] { return source_.get(); }) {
  const Fd socket = listen_tcp(listen);
  http_ = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, 0, nullptr, nullptr, &Http::on_request, this,
                           MHD_OPTION_LISTEN_SOCKET, ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0),  // the server's
                           MHD_OPTION_CONNECTION_LIMIT, kMostHttpClients,                        //
                           MHD_OPTION_CONNECTION_MEMORY_LIMIT, size_t{kHttpClientMemory},        //
                           MHD_OPTION_CONNECTION_TIMEOUT, kHttpPatience,                         //
                           MHD_OPTION_STRICT_FOR_CLIENT, 1,                                      //
                           MHD_OPTION_END);
  if (http_ == nullptr) throw std::runtime_error("start the status page at " + listen.to_string());
}

StatusServer::~StatusServer() {
  source_.close();  // for which the thread may be waiting
  MHD_stop_daemon(http_);
}

}  // namespace adit::daemon
