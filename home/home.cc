#include "home/home.h"

#include "home/jail.h"
#include "home/pf.h"
#include "home/rc.h"
#include "home/steps.h"
#include "home/tunnel.h"

namespace adit::home {
namespace {

constexpr unsigned kSecret = 0600;

void add_file(Plan& plan, const std::string& path, const std::string& text, unsigned mode = 0644) {
  if (!text.empty()) plan.files.push_back({path, text, mode});
}

void add_block(Plan& plan, const std::string& path, const std::string& text, adit::Place place = adit::Place::end) {
  if (text.empty()) return;
  const char* name = place == adit::Place::pf_translation ? "home translation" : "home";
  plan.blocks.push_back({path, name, text, place});
}

void add_jail(Plan& plan, const HomeConfig& config, const Jail& jail) {
  add_file(plan, pf_file_of(jail), pf_jail_rules(config, jail));
  add_file(plan, fstab_file_of(jail), fstab_text(jail));
  add_file(plan, jail_file_of(jail), jail_text(config, jail));
  add_block(plan, jail.path + "/etc/rc.conf", jail_rc_conf_text(config, jail));
}

}  // namespace

Plan plan(const HomeConfig& config) {
  Plan plan;
  if (needs_pf(config)) add_file(plan, pf_file(), pf_home_rules(config));
  for (const Tunnel& tunnel : config.tunnels) {
    // Its file names secrets' places, and used to hold them: nobody else needs to read it.
    add_file(plan, tunnel_file_of(config, tunnel), tunnel_text(tunnel), kSecret);
  }
  for (const Jail& jail : config.jails) add_jail(plan, config, jail);
  if (needs_pf(config)) {
    add_block(plan, "/etc/pf.conf", pf_translation_calls(), adit::Place::pf_translation);
    add_block(plan, "/etc/pf.conf", pf_filter_calls());
  }
  add_block(plan, "/etc/devfs.rules", devfs_rules_text(config));
  add_block(plan, "/etc/rc.conf", rc_conf_text(config));
  add_steps(plan, config);
  return plan;
}

}  // namespace adit::home
