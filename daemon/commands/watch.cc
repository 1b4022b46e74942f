// adit show --watch: what running gateways are doing, drawn anew again and again.

#include <ctime>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.h"
#include "daemon/control.h"
#include "daemon/watch/screen.h"
#include "net/clock.h"

namespace adit::daemon {
namespace {

using Json = nlohmann::ordered_json;
using adit::watch::History;
using adit::watch::Screen;

/// One gateway, which may go and come back.
struct Watched {
  std::optional<Json> last;  // none while it is gone
  History history;

  void look(const std::string& interface) {
    try {
      last = Json::parse(request_show(control_path(interface)));
      const std::chrono::duration<double> now = read_clock().mono.time_since_epoch();
      history.add(now.count(), *last);
    } catch (const std::system_error&) {
      last.reset();
      history = {};
    }
  }
};

using AllWatched = std::map<std::string, Watched>;

/// Every gateway there is or was, unless one is named.
void look_at_all(const std::optional<std::string>& interface, AllWatched& all) {
  if (!interface) {
    for (const std::string& name : controlled_interfaces()) all.try_emplace(name);
  }
  for (auto& [name, watched] : all) watched.look(name);
}

std::vector<std::string> picture(const AllWatched& all, const Screen& screen) {
  std::vector<std::string> lines;
  for (const auto& [name, watched] : all) {
    const std::vector<std::string> more =
        watched.last ? render(*watched.last, watched.history, std::time(nullptr), screen.width(), screen.style())
                     : adit::watch::render_gone(name, screen.width(), screen.style());
    if (!lines.empty()) lines.emplace_back();
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

}  // namespace

int watch(const std::optional<std::string>& interface, double interval) {
  AllWatched all;
  if (interface) all[*interface];
  look_at_all(interface, all);
  if (all.empty() || (interface && !all.begin()->second.last)) {
    std::cerr << "adit: show: " << (interface ? *interface + " is not running" : "no gateway is running")
              << " (no socket in " << control_directory().string() << advice_for_user() << ")\n";
    return kExitFailed;
  }
  Screen screen;
  const auto time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(interval));
  Time next = read_clock().mono;
  while (true) {
    screen.draw(picture(all, screen));
    next = std::max(next + time, read_clock().mono);
    Screen::Woken woken = Screen::Woken::kBySize;
    while (woken == Screen::Woken::kBySize) {
      woken = screen.wait(std::max(next - read_clock().mono, Duration(0)));
      if (woken == Screen::Woken::kBySize) screen.draw(picture(all, screen));
    }
    if (woken == Screen::Woken::kByEnd) return kExitDone;
    look_at_all(interface, all);
  }
}

}  // namespace adit::daemon
