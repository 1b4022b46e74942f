// What the demo prints, on standard output, at most 100 columns wide.
#pragma once

#include <string>
#include <vector>

#include "daemon/demo/players.h"
#include "daemon/lab/gateways.h"

namespace adit::demo {

void print_map(lab::HomeProgram home);
/// `text`, indented.
void print_file(const std::string& text);
/// A line of the story: a short subject and what happened.
void print_step(const std::string& subject, const std::string& text);

/// The game as it goes on: a column for each player, a line for each call of the second.
void print_game_heading(const std::vector<Player>& players);
void print_game_line(const std::string& when, const std::vector<Player>& players);

void print_results(const std::vector<Player>& players);
void print_sources(const lab::EchoServer& server);

/// "0.42", in milliseconds.
std::string milliseconds_text(Duration duration);

/// What is not as it must be, one line each; none if everything is.
std::vector<std::string> faults(const Game& game);

}  // namespace adit::demo
