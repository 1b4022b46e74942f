// The command line: which subcommand, its options, and how failures are reported.

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <exception>

#include "config/config.h"
#include "config/nearest.h"
#include "config/problems.h"
#include "config/unreadable.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/complete.h"
#include "daemon/journal.h"
#include "daemon/log.h"

namespace adit::daemon {
namespace {

struct Options {
  std::filesystem::path config = kDefaultConfig;
  std::string log_level = "info";
  std::string user;
  std::optional<std::string> interface;
  bool json = false;
  bool home_routes = false;
  bool watch = false;
  double watch_interval = 1;
  std::string demo_home = "adit";
  double doctor_seconds = 2;
  unsigned bench_seconds = 0;  // 0 only until the command is known
  unsigned bench_rounds = 5;
  std::string bench_against;
  std::filesystem::path bench_svg;
  HomeRequest home;
  std::string import_file;
  InitRequest init;
};

using Command = std::function<int()>;

/// NaN is in every CLI::Range.
std::string refuse_nan(const std::string& text) {
  return std::isnan(std::strtod(text.c_str(), nullptr)) ? text + " is not a number" : "";
}

void add_config_option(CLI::App& command, Options& options) {
  command.add_option("-c,--config", options.config, "Configuration file")->capture_default_str();
}

/// One benchmark with what all of them take.
CLI::App* declare_benchmark(CLI::App& bench, Options& options, const char* name, const char* does, const char* time) {
  CLI::App* command = bench.add_subcommand(name, does);
  command->add_flag("--json", options.json, "Print JSON");
  command->add_option("--svg", options.bench_svg, "Also draw it into this file");
  command->add_option("--seconds", options.bench_seconds, time)->check(CLI::Range(1, 3600));
  return command;
}

void declare_benchmarks(CLI::App& app, Options& options, Command& chosen) {
  CLI::App* bench = app.add_subcommand("bench", "Measure what this machine encrypts, carries and forwards");
  bench->require_subcommand(1);
  bench->footer("Example:  adit bench tunnel --against wireguard-go");
  const auto time = [&](unsigned unless_given) {
    return options.bench_seconds == 0 ? unless_given : options.bench_seconds;
  };

  CLI::App* crypto = declare_benchmark(*bench, options, "crypto", "Encryption by each implementation, and handshakes",
                                       "How long it takes in all [10]");
  crypto->footer("Example:  adit bench crypto --seconds 20");
  crypto->callback([&, time] {
    chosen = [&, time] { return bench_crypto({options.json, options.bench_svg}, time(10)); };
  });

  CLI::App* tunnel = declare_benchmark(*bench, options, "tunnel", "A tunnel between two throw-away machines",
                                       "How long each measurement takes [2]");
  tunnel->add_option("--rounds", options.bench_rounds, "How often each is measured")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  tunnel->add_option("--against", options.bench_against, "Another program, with wireguard-go's command line, in turns");
  tunnel->footer("Example:  adit bench tunnel --against wireguard-go");
  tunnel->callback([&, time] {
    chosen = [&, time] {
      return bench_tunnel({options.json, options.bench_svg}, time(2), options.bench_rounds, options.bench_against);
    };
  });

  CLI::App* forward = declare_benchmark(*bench, options, "forward", "32 players through a gateway to a game at home",
                                        "How long each step takes [1]");
  forward->footer("Example:  adit bench forward --json");
  forward->callback([&, time] {
    chosen = [&, time] { return bench_forward({options.json, options.bench_svg}, time(1)); };
  });
}

void declare_init(CLI::App& app, Options& options, Command& chosen) {
  CLI::App* command = app.add_subcommand("init", "Write a first configuration with keys, and a kit for home beside it");
  InitRequest& init = options.init;
  command->add_option("--forward", init.forwards,
                      "Ports that lead home: [NAME:]udp/PORTS[=PORTS AT HOME], tcp/..., or none; may be repeated");
  command->add_option("--endpoint", init.endpoint, "The name or address by which home reaches this machine");
  command->add_option("--listen-port", init.listen_port, "UDP port of the tunnel")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command->add_option("--dir", init.directory, "The folder to write to")->capture_default_str();
  command->add_option("--interface", init.interface, "The tunnel's interface here; the first wg... that is free");
  command->add_option("--network", init.network, "The tunnel's IPv4 network; a private one that is free");
  CLI::Option* network6 = command->add_option("--network6", init.network6, "Its IPv6 network; a random private one");
  command
      ->add_flag_callback(
          "--no-ipv6", [&] { init.ipv6 = false; }, "Only IPv4")
      ->excludes(network6);
  command->add_flag_callback(
      "--no-preshared-key", [&] { init.preshared_key = false; }, "Without the second secret that both ends share");
  command->add_flag("--qr", init.qr, "Show home's configuration, with its private key, as a QR code");
  command->footer(
      "What is left out is asked on a terminal. Nothing is overwritten.\n"
      "Example:  adit init --forward factorio:udp/34197 --endpoint vps.example.org");
  command->callback([&] { chosen = [&] { return daemon::init(options.init); }; });
}

void declare_home(CLI::App& app, Options& options, Command& chosen) {
  using What = HomeRequest::What;
  CLI::App* home = app.add_subcommand("home", "The companion at home: its jails and its pf from one file");
  home->require_subcommand(1);
  home->footer("Example:  adit home plan");
  const auto declare_one = [&](What what, const char* name, const char* does, const char* example) {
    CLI::App* command = home->add_subcommand(name, does);
    command
        ->add_option("-c,--config", options.home.config,
                     what == What::kRemove ? "Not read: what there is to remove was noted when it was made"
                                           : "Configuration file")
        ->capture_default_str();
    command->add_option("--root", options.home.root, "The machine's files are below this folder; no command is run")
        ->capture_default_str();
    command->add_flag("--json", options.home.json, "Print JSON");
    command->footer(std::string("Example:  adit home ") + example);
    command->callback([&, what] {
      chosen = [&, what] {
        options.home.what = what;
        return home_command(options.home);
      };
    });
  };
  declare_one(What::kPlan, "plan", "Show what apply would write and run", "plan -c home.toml --root /tmp/tree");
  declare_one(What::kApply, "apply", "Write it and run it; again, only what has changed", "apply -c home.toml");
  declare_one(What::kStatus, "status", "Say what is as it should be, and what drifted", "status --json");
  declare_one(What::kRemove, "remove", "Put everything back as it was before the first apply", "remove");
}

void declare_doctor(CLI::App& app, Options& options, Command& chosen) {
  CLI::App* command =
      app.add_subcommand("doctor", "Find what is wrong between players and service, and say what to do");
  CLI::Option* config = command->add_option("-c,--config", options.config, "Configuration file")->capture_default_str();
  command->add_option("interface", options.interface, "Interface name; the configuration's when left out");
  command->add_flag("--json", options.json, "Print JSON");
  command->add_option("--seconds", options.doctor_seconds, "How long counters are watched, at least")
      ->check(CLI::Range(0.1, 3600.0))
      ->check(refuse_nan)
      ->capture_default_str();
  command->footer("Example:  sudo adit doctor");
  command->callback([&, config] {
    chosen = [&, config] {
      return doctor({options.config, config->count() > 0, options.interface, options.json, options.doctor_seconds});
    };
  });
}

/// Declares every subcommand; the chosen one is left in `chosen`.
void declare(CLI::App& app, Options& options, Command& chosen) {
  CLI::App* run_command = app.add_subcommand("run", "Run the gateway in the foreground");
  add_config_option(*run_command, options);
  run_command->add_option("--log-level", options.log_level, "debug, info, warning, error or silent")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kLogLevels), std::end(kLogLevels))))
      ->capture_default_str();
  run_command->add_option("--user", options.user, "Whom to become once everything is open; started by root");
  run_command->footer("Example:  adit run -c /etc/adit/adit.toml");
  run_command->callback([&] { chosen = [&] { return run(options.config, options.log_level, options.user); }; });

  CLI::App* check_command = app.add_subcommand("check", "Say everything that is wrong with a configuration");
  add_config_option(*check_command, options);
  check_command->footer("Example:  adit check -c adit.toml");
  check_command->callback([&] { chosen = [&] { return check(options.config); }; });

  CLI::App* show_command = app.add_subcommand("show", "Show peers, traffic, forwards and drops of running gateways");
  show_command->add_option("interface", options.interface, "Interface name; all when left out");
  CLI::Option* json = show_command->add_flag("--json", options.json, "Print JSON");
  show_command
      ->add_flag("--home-routes", options.home_routes,
                 "Print what home must do for forwards with source = \"keep\", to paste there")
      ->excludes(json);
  CLI::Option* watching = show_command->add_flag("--watch", options.watch, "Draw it anew all the time, with rates");
  watching->excludes(json)->excludes("--home-routes");
  show_command->add_option("--interval", options.watch_interval, "How often, in seconds")
      ->check(CLI::Range(0.1, 3600.0))
      ->check(refuse_nan)
      ->capture_default_str()
      ->needs(watching);
  show_command->footer("Example:  adit show wg0 --json");
  show_command->callback([&] {
    chosen = [&] {
      if (options.watch) return watch(options.interface, options.watch_interval);
      return show(options.interface, options.json          ? ShowFormat::kJson
                                     : options.home_routes ? ShowFormat::kHomeRoutes
                                                           : ShowFormat::kText);
    };
  });

  declare_doctor(app, options, chosen);

  CLI::App* reload_command = app.add_subcommand("reload", "Apply a changed configuration to running gateways");
  reload_command->add_option("interface", options.interface, "Interface name; all when left out");
  reload_command->footer("Example:  adit reload wg0");
  reload_command->callback([&] { chosen = [&] { return reload(options.interface); }; });

  CLI::App* demo_command =
      app.add_subcommand("demo", "Show a game through the tunnel, in throw-away network namespaces");
  demo_command->add_option("--home", options.demo_home, "What runs at home: adit or wireguard-go")
      ->check(CLI::IsMember({"adit", "wireguard-go"}))
      ->capture_default_str();
  demo_command->footer("Example:  adit demo --home wireguard-go");
  demo_command->callback([&] { chosen = [&] { return demo(options.demo_home); }; });

  declare_init(app, options, chosen);
  CLI::App* import_command = app.add_subcommand("import", "Print a wg-quick configuration as adit's own");
  import_command->add_option("file", options.import_file, "wg-quick's file")->required();
  import_command->footer("Example:  umask 077; adit import /etc/wireguard/wg0.conf > /etc/adit/adit.toml");
  import_command->callback([&] { chosen = [&] { return import(options.import_file); }; });

  declare_home(app, options, chosen);
  declare_benchmarks(app, options, chosen);

  CLI::App* genkey_command = app.add_subcommand("genkey", "Print a new private key");
  genkey_command->footer("Example:  umask 077; adit genkey > wg0.key");
  genkey_command->callback([&] { chosen = genkey; });

  CLI::App* genpsk_command = app.add_subcommand("genpsk", "Print a new preshared key");
  genpsk_command->footer("Example:  umask 077; adit genpsk > home.psk");
  genpsk_command->callback([&] { chosen = genpsk; });

  CLI::App* pubkey_command = app.add_subcommand("pubkey", "Read a private key, print its public key");
  pubkey_command->footer("Example:  adit pubkey < wg0.key");
  pubkey_command->callback([&] { chosen = pubkey; });
}

std::vector<std::string> subcommands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

/// CLI11 says of a word that it does not know only that a command is missing.
int say_usage_error(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments) {
  std::string known = "adit";
  size_t words = 1;
  const CLI::App* last = &app;
  for (; !last->get_subcommands().empty(); ++words) {
    last = last->get_subcommands().front();
    known += " " + last->get_name();
  }
  const std::string word = words < arguments.size() ? arguments[words] : "";
  const bool lacks_command =
      dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !subcommands_of(*last).empty();
  if (!lacks_command || word.empty() || word.starts_with('-')) return app.exit(error) == 0 ? kExitDone : kExitUsage;
  std::cerr << known << ": there is no command " << config::in_quotes(word)
            << config::suggestion(word, subcommands_of(*last)) << "\nRun with --help for more information.\n";
  return kExitUsage;
}

int main(int argc, char** argv) {
  CLI::App app("adit: a userspace WireGuard gateway with port forwarding built in", "adit");
  app.set_version_flag("--version", "adit " ADIT_VERSION);
  app.require_subcommand(1);
  app.footer("In place of wireguard-go:  adit [-f|--foreground] INTERFACE");
  Options options;
  Command chosen;
  declare(app, options, chosen);
  const std::vector<std::string> arguments(argv, argv + argc);
  if (argc > 2 && arguments[1] == "complete") return complete(app, {arguments.begin() + 2, arguments.end()});
  const auto request = device_request(arguments, subcommands_of(app));
  if (request) chosen = [&] { return device(*request, arguments); };
  try {
    if (!request) app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return say_usage_error(app, error, arguments);
  }
  try {
    return chosen();
  } catch (const config::ConfigError& error) {
    say_failure(error.what());
    return kExitConfig;
  } catch (const config::UnreadableError& error) {
    say_failure(std::string("adit: ") + error.what());
    return kExitConfig;
  } catch (const UsageError& error) {
    std::cerr << "adit: " << error.what() << "\n";
    return kExitUsage;
  } catch (const std::exception& error) {
    say_failure(std::string("adit: ") + error.what());
    return kExitFailed;
  }
}

}  // namespace
}  // namespace adit::daemon

int main(int argc, char** argv) { return adit::daemon::main(argc, argv); }
