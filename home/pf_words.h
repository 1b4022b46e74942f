// Parts of pf's rules.
#pragma once

#include <string>
#include <vector>

#include "home/home_config.h"

namespace adit::home {

/// "{ \"egress\", \"wg0\" }", or one in quotes alone: in quotes, a name that is one of pf's words is still a name.
std::string pf_names(const std::vector<std::string>& names);

/// "{ 21, 80, 8000:8010 }", or one alone.
std::string pf_ports(const PortList& ports);

/// "table <NAME> const { ... }".
std::string pf_table(const std::string& name, const std::vector<config::TableEntry>& entries);

/// The tables of private and of public addresses, as every file here that uses one brings it along.
std::string pf_private_table();
std::string pf_internet_table();

}  // namespace adit::home
