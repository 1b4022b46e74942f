#include "daemon/uapi.h"

#include <algorithm>
#include <cerrno>

namespace adit::daemon {
namespace {

/// Several times the longest line that means anything.
constexpr size_t kMaxLine = 1024;

}  // namespace

size_t UapiConversation::take(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && answer_.empty() && !is_over()) {
    const std::string_view rest = bytes.substr(taken);
    const size_t length = std::min(rest.find('\n'), rest.size());
    const size_t room = kMaxLine - begun_.size();
    is_cut_ |= length > room;
    begun_.append(rest.substr(0, std::min(length, room)));
    taken += length;
    if (length == rest.size()) break;
    ++taken;
    end_line();
  }
  return taken;
}

void UapiConversation::take_end() {
  if (doing_ == Doing::kSet && !begun_.empty()) end_line();
  if (doing_ == Doing::kSet) line("");
  doing_ = Doing::kOver;
}

void UapiConversation::end_line() {
  if (is_cut_)
    line_too_long();
  else
    line(begun_);
  begun_.clear();
  is_cut_ = false;
}

void UapiConversation::line_too_long() {
  if (doing_ == Doing::kSkip) return;
  if (doing_ != Doing::kSet) {
    doing_ = Doing::kOver;
    return;
  }
  set_.end();
  finish(Doing::kSkip, -EIO);
}

void UapiConversation::line(std::string_view text) {
  switch (doing_) {
    case Doing::kRequest:
      return request(text);
    case Doing::kGet:
      if (!text.empty()) return finish(Doing::kRequest, -EINVAL);
      return finish(Doing::kRequest, 0, device_text(target_.device()));
    case Doing::kShow:
      if (!text.empty()) return finish(Doing::kRequest, -EINVAL);
      return finish(Doing::kRequest, 0, target_.show() + "\n");
    case Doing::kReload:
      if (!text.empty()) return finish(Doing::kRequest, -EINVAL);
      return reload();
    case Doing::kSet:
      if (const int error = text.empty() ? 0 : set_.line(text); error != 0) {
        set_.end();
        return finish(Doing::kSkip, error);
      }
      if (!text.empty()) return;
      set_.end();
      return finish(Doing::kRequest, 0);
    case Doing::kSkip:
      if (text.empty()) doing_ = Doing::kRequest;
      return;
    case Doing::kOver:
      return;
  }
}

void UapiConversation::request(std::string_view text) {
  if (text == "get=1")
    doing_ = Doing::kGet;
  else if (text == "set=1")
    doing_ = Doing::kSet;
  else if (text == "show=1")
    doing_ = Doing::kShow;
  else if (text == "reload=1")
    doing_ = Doing::kReload;
  else
    doing_ = Doing::kOver;
}

void UapiConversation::reload() {
  ReloadResult result = target_.reload();
  if (!result.text.empty()) result.text += "\n";
  finish(Doing::kRequest, result.error, std::move(result.text));
}

void UapiConversation::finish(Doing next, int error, std::string text) {
  doing_ = next;
  answer_ = std::move(text) + "errno=" + std::to_string(error) + "\n\n";
}

}  // namespace adit::daemon
