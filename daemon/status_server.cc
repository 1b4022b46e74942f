#include "daemon/status_server.h"

#include <fcntl.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>
#include <ctime>
#include <limits>
#include <thread>

#include "daemon/tcp_socket.h"

namespace adit::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Error = boost::system::error_code;
using Request = http::request<http::empty_body>;

constexpr milliseconds kPause(100);  // before the next client is taken, when none can be
constexpr seconds kFarewell(2);      // for a client to read the last answer

/// The page's own files and nothing else; what is read here is nobody else's, and not to be kept.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

auto into(Error& error) { return asio::redirect_error(asio::use_awaitable, error); }

std::string_view view(beast::string_view text) noexcept { return {text.data(), text.size()}; }

/// RFC 9112 section 3.2: one host, which only HTTP/1.0 may leave out.
bool has_right_host(const Request& request) {
  const size_t count = request.count(http::field::host);
  return count == 1 || (count == 0 && request.version() < 11);
}

HttpAnswer answer_to(const Request& request, StatusSite& site) {
  if (!has_right_host(request)) return plain_answer(400, "There must be one Host.\n");
  const std::string_view target = view(request.target());
  return site.answer({view(request.method_string()), target.substr(0, target.find('?')),
                      view(request[http::field::host]), view(request[http::field::accept])});
}

HttpAnswer answer_to(Error mistake) {
  const bool is_long = mistake == http::error::header_limit || mistake == http::error::buffer_overflow;
  return is_long ? plain_answer(431, "The request is too long.\n") : plain_answer(400, "This is no request.\n");
}

bool is_mistake(Error error) {
  return error.category() == make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

/// RFC 9110 section 5.6.7.
std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %T GMT", &parts)};
}

/// How an answer goes out.
struct Manner {
  unsigned version = 11;  // HTTP's, of the request
  bool is_head = false;   // without the body
  bool is_last = true;
};

/// Whatever time it takes, as long as some of it goes on.
asio::awaitable<void> send(beast::tcp_stream& stream, const HttpAnswer& answer, Manner manner) {
  http::response<http::span_body<const char>> response;
  response.version(manner.version);
  response.result(answer.status);
  response.keep_alive(!manner.is_last);
  for (const auto& [name, value] : kHeaders) response.set(name, value);
  response.set(http::field::date, date_now());
  response.set(http::field::content_type, beast::string_view(answer.type.data(), answer.type.size()));
  if (answer.status == 405) response.set(http::field::allow, "GET, HEAD");
  response.body() = {answer.body->data(), answer.body->size()};
  response.content_length(answer.body->size());

  http::response_serializer<http::span_body<const char>> serializer(response);
  serializer.split(manner.is_head);
  while (manner.is_head ? !serializer.is_header_done() : !serializer.is_done()) {
    stream.expires_after(seconds(kHttpPatience));
    co_await http::async_write_some(stream, serializer, asio::use_awaitable);
  }
}

/// Once its headers are there a request is answered, whatever it goes on to say.  False after the last.
asio::awaitable<bool> answer_next(beast::tcp_stream& stream, beast::flat_static_buffer<kHttpClientMemory>& received,
                                  StatusSite& site) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kHttpClientMemory);
  parser.body_limit(std::numeric_limits<uint64_t>::max());  // none is read
  Error error;
  stream.expires_after(seconds(kHttpPatience));
  co_await http::async_read_header(stream, received, parser, into(error));
  HttpAnswer answer;
  Manner manner;
  if (is_mistake(error)) {
    answer = answer_to(error);
  } else if (error) {
    co_return false;
  } else {
    const Request& request = parser.get();
    const bool has_body = parser.chunked() || parser.content_length().value_or(0) > 0;
    answer = answer_to(request, site);
    // What follows as a body would be taken for the next request.
    manner = {request.version(), request.method() == http::verb::head, has_body || !request.keep_alive()};
  }
  co_await send(stream, answer, manner);
  co_return !manner.is_last;
}

/// What it still says is thrown away until it has read the last answer: to close before would reset the connection.
asio::awaitable<void> part_from(beast::tcp_stream& stream) {
  Error error;
  stream.socket().shutdown(tcp::socket::shutdown_send, error);
  stream.expires_after(kFarewell);
  char rest[1024];
  while (!error) co_await stream.async_read_some(asio::buffer(rest), into(error));
}

asio::awaitable<void> converse(beast::tcp_stream& stream, StatusSite& site) {
  beast::flat_static_buffer<kHttpClientMemory> received;
  while (co_await answer_next(stream, received, site)) {
  }
  co_await part_from(stream);
}

/// One client after the other.
asio::awaitable<void> serve(tcp::acceptor& acceptor, StatusSite& site) {
  for (;;) {
    Error error;
    beast::tcp_stream stream(acceptor.get_executor());
    co_await acceptor.async_accept(stream.socket(), into(error));
    if (error) {
      asio::steady_timer pause(acceptor.get_executor(), kPause);
      co_await pause.async_wait(asio::use_awaitable);
      continue;
    }
    try {
      co_await converse(stream, site);
    } catch (const std::exception&) {  // it is gone, or too slow
    }
  }
}

}  // namespace

/// The thread, and what it does.
class StatusServer::Http {
 public:
  Http(const Endpoint& listen, StatusSite& site) : acceptor_(context_) {
    const Fd socket = listen_tcp(listen);
    acceptor_.assign(listen.ip.is_v4() ? tcp::v4() : tcp::v6(), ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    for (unsigned i = 0; i < kMostHttpClients; ++i) asio::co_spawn(context_, serve(acceptor_, site), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~Http() {
    context_.stop();
    thread_.join();
  }
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

 private:
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

StatusServer::StatusServer(Loop& loop, const Endpoint& listen, std::string version, std::function<Status()> take)
    : listen_(listen),
      source_(loop, std::move(take)),
      site_(std::move(version), [this] { return source_.get(); }),
      http_(std::make_unique<Http>(listen, site_)) {}

StatusServer::~StatusServer() {
  source_.close();  // for which the thread may be waiting
}

}  // namespace adit::daemon
