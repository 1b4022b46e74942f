#include "daemon/watch/screen.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "net/fd.h"

namespace adit::watch {
namespace {

constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l";  // another screen, no cursor
constexpr const char* kLeave = "\x1b[?25h\x1b[?1049l";
constexpr const char* kTop = "\x1b[H";
constexpr const char* kNextLine = "\x1b[K\n";
constexpr const char* kClearBelow = "\x1b[J";

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool knows_escapes() {
  const std::string_view terminal = environment("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && !terminal.empty() && terminal != "dumb";
}

bool writes_utf8() {
  std::setlocale(LC_CTYPE, "");
  return std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
}

winsize size() noexcept {
  winsize size{};
  ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  return size;
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    text.remove_prefix(static_cast<size_t>(check_call("write to the terminal", count)));
  }
}

}  // namespace

Screen::Screen() : is_terminal_(knows_escapes()) {
  style_.colours = is_terminal_ && environment("NO_COLOR").empty();
  style_.unicode = writes_utf8();
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&signals_, signal);
  // Blocked, they wait for wait(): a signal between two of them is not lost, and the screen is always given back.
  ::sigprocmask(SIG_BLOCK, &signals_, nullptr);
  // Ignored, which a parent may have left, a signal would not wait.
  std::signal(SIGWINCH, [](int) {});
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
  if (is_terminal_) write_all(kEnter);
}

Screen::~Screen() {
  if (!is_terminal_) return;
  const std::string_view leave = kLeave;
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, leave.data(), leave.size());
}

size_t Screen::width() const {
  const unsigned columns = size().ws_col;
  return columns == 0 ? 80 : columns;
}

void Screen::draw(const std::vector<std::string>& lines) {
  std::string text;
  if (!is_terminal_) {
    if (has_drawn_) text += "\n";
    for (const std::string& line : lines) text += line + "\n";
    has_drawn_ = true;
    return write_all(text);
  }
  const size_t rows = size().ws_row == 0 ? lines.size() : size().ws_row;
  text = kTop;
  for (size_t i = 0; i < std::min(lines.size(), rows); ++i) text += (i == 0 ? "" : kNextLine) + lines[i];
  write_all(text + "\x1b[K" + kClearBelow);
}

Screen::Woken Screen::wait(std::chrono::nanoseconds time) const {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const timespec timeout{whole.count(), (time - whole).count()};
  const int signal = ::sigtimedwait(&signals_, nullptr, &timeout);
  if (signal < 0) return Woken::kByTime;
  return signal == SIGWINCH ? Woken::kBySize : Woken::kByEnd;
}

}  // namespace adit::watch
