// File descriptors that close themselves, and system calls that say what they were doing when they failed.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace adit {

class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// A failure with advice for the person who reads it: "`what`: reason (`advice`)", or without the parentheses.
class AdvisedError : public std::system_error {
 public:
  AdvisedError(int error, const std::string& what, const std::string& advice)
      : std::system_error(error, std::generic_category(), what),
        text_(std::system_error::what() + (advice.empty() ? "" : " (" + advice + ")")) {}
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

/// Throws std::system_error "`what`: reason" when a system call returned -1; otherwise its result.
template <typename T>
T check_call(const std::string& what, T result) {
  if (result == static_cast<T>(-1)) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

}  // namespace adit
