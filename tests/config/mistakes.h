// Texts with a mistake and what is said about it.  `^` stands right before the place that the message must name;
// "@KEY",
// "@OWN", "@HOME" and "@OTHER" stand for keys.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/config/fixtures.h"

namespace adit::config {

struct Mistake {
  std::string text;
  std::vector<std::string> complaints;  // one per `^`, in order; a second at one place after '\n'
};

inline void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size()) text.replace(at, what.size(), by);
}

inline std::string in_quotes(const char* text) { return std::string(1, '"') + text + '"'; }

inline std::string with_keys(std::string text) {
  replace_all(text, "@KEY", in_quotes(kPrivateKey));
  replace_all(text, "@OWN", in_quotes(kOwnPublicKey));
  replace_all(text, "@HOME", in_quotes(kHomeKey));
  replace_all(text, "@OTHER", in_quotes(kOtherKey));
  return text;
}

/// Takes the marks out of `text` and returns their places as "line:column".
inline std::vector<std::string> take_marks(std::string& text) {
  std::vector<std::string> places;
  for (size_t at = 0; (at = text.find('^', at)) != text.npos;) {
    text.erase(at, 1);
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
    const size_t begin = text.substr(0, at).rfind('\n') + 1;
    places.push_back(std::to_string(line) + ":" + std::to_string(at - begin + 1));
  }
  return places;
}

inline void expect_complaints(const Mistake& mistake) {
  std::string text = with_keys(mistake.text);
  const std::vector<std::string> places = take_marks(text);
  ASSERT_EQ(places.size(), mistake.complaints.size()) << mistake.text;
  std::string expected;
  for (size_t i = 0; i < places.size(); ++i) {
    const std::string prefix = "adit.toml:" + places[i] + ": ";
    std::string lines = prefix + mistake.complaints[i];
    replace_all(lines, "\n", "\n" + prefix);
    expected += (i == 0 ? "" : "\n") + lines;
  }
  EXPECT_EQ(complaint_of([&] { parse_text(text); }), expected) << mistake.text;
}

/// Within an [interface] that is otherwise right.
inline void expect_in_interface(const std::string& line, const std::string& complaint) {
  expect_complaints({"[interface]\nprivate_key = @KEY\n" + line, {complaint}});
}

/// Within a [[peer]] that is otherwise right.
inline void expect_in_peer(const std::string& line, const std::string& complaint) {
  expect_complaints({"[interface]\nprivate_key = @KEY\n[[peer]]\npublic_key = @HOME\n" + line, {complaint}});
}

/// A gateway up to its forwards.
inline constexpr const char* kGateway = R"([interface]
private_key = @KEY
listen_port = 342
addresses = ["10.1.2.5/24", "fd00:1:2::5/64"]
[[peer]]
public_key = @HOME
allowed_ips = ["10.1.2.2/32", "fd00:1:2::2/128"]
)";

/// Within a [[forward]] that is otherwise right; `lines` take the place of those with their keys.
inline void expect_in_forward(const std::string& lines, const std::string& complaint) {
  std::string text = std::string(kGateway) + "[[forward]]\n";
  const auto is_about = [&](const std::string& key) { return ("\n" + lines).find("\n" + key + " =") != lines.npos; };
  if (!is_about("listen")) text += "listen = \"0.0.0.0:34197\"\n";
  if (!is_about("to")) text += "to = \"10.1.2.2:34197\"\n";
  expect_complaints({text + lines, {complaint}});
}

}  // namespace adit::config
