#include "daemon/status_server.h"

#include <fcntl.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
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
#include <optional>
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
using Response = http::response<http::span_body<const char>>;

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

/// Serves one client after the other, for as long as it lives; each step begins the next.
class Desk {
 public:
  Desk(tcp::acceptor& acceptor, StatusSite& site) : acceptor_(acceptor), site_(site), pause_(acceptor.get_executor()) {
    accept();
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

 private:
  void accept() {
    received_.clear();
    stream_.emplace(acceptor_.get_executor());
    acceptor_.async_accept(stream_->socket(), [this](Error error) {
      if (!error) return read();
      pause_.expires_after(kPause);
      pause_.async_wait([this](Error) { accept(); });
    });
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(kHttpClientMemory);
    parser_->body_limit(std::numeric_limits<uint64_t>::max());  // none is read
    stream_->expires_after(seconds(kHttpPatience));
    http::async_read_header(*stream_, received_, *parser_, [this](Error error, size_t) { answer(error); });
  }

  /// Once its headers are there a request is answered, whatever it goes on to say.
  void answer(Error error) {
    if (error && !is_mistake(error)) return accept();
    try {
      is_last_ = true;
      unsigned version = 11;
      bool is_head = false;
      if (error) {
        answer_ = answer_to(error);
      } else {
        const Request& request = parser_->get();
        answer_ = answer_to(request, site_);
        version = request.version();
        is_head = request.method() == http::verb::head;
        // What follows as a body would be taken for the next request.
        is_last_ = !request.keep_alive() || parser_->chunked() || parser_->content_length().value_or(0) > 0;
      }
      make_response(version);
      serializer_.emplace(response_);
      serializer_->split(is_head);
      write();
    } catch (const std::exception&) {
      accept();
    }
  }

  void make_response(unsigned version) {
    response_ = {};
    response_.version(version);
    response_.result(answer_.status);
    response_.keep_alive(!is_last_);
    for (const auto& [name, value] : kHeaders) response_.set(name, value);
    response_.set(http::field::date, date_now());
    response_.set(http::field::content_type, beast::string_view(answer_.type.data(), answer_.type.size()));
    if (answer_.status == 405) response_.set(http::field::allow, "GET, HEAD");
    response_.body() = {answer_.body->data(), answer_.body->size()};
    response_.content_length(answer_.body->size());
  }

  /// Whatever time it takes, as long as some of it goes on.
  void write() {
    if (serializer_->split() ? serializer_->is_header_done() : serializer_->is_done())
      return is_last_ ? part() : read();
    stream_->expires_after(seconds(kHttpPatience));
    http::async_write_some(*stream_, *serializer_, [this](Error error, size_t) { error ? accept() : write(); });
  }

  /// What it still says is thrown away until it has read the last answer: to close before would reset the connection.
  void part() {
    Error ignored;
    stream_->socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_->expires_after(kFarewell);
    discard();
  }
  void discard() {
    stream_->async_read_some(asio::buffer(rest_), [this](Error error, size_t) { error ? accept() : discard(); });
  }

  tcp::acceptor& acceptor_;
  StatusSite& site_;
  asio::steady_timer pause_;
  std::optional<beast::tcp_stream> stream_;
  beast::flat_static_buffer<kHttpClientMemory> received_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  HttpAnswer answer_;
  Response response_;
  std::optional<http::response_serializer<Response::body_type>> serializer_;
  bool is_last_ = true;
  std::array<char, 1024> rest_;
};

}  // namespace

/// The thread, and what it does.
class StatusServer::Http {
 public:
  Http(const Endpoint& listen, StatusSite& site) : acceptor_(context_) {
    const Fd socket = listen_tcp(listen);
    acceptor_.assign(listen.ip.is_v4() ? tcp::v4() : tcp::v6(), ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    for (auto& desk : desks_) desk.emplace(acceptor_, site);
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
  std::array<std::optional<Desk>, kMostHttpClients> desks_;
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
