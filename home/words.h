// The alphabets of what a person may write.  They are narrower than pf, jail and sh would bear within quotes, so that
// no text needs more than quotes around it.
#pragma once

#include <string_view>

namespace adit::home {

/// A letter, then letters, digits, _ and - : 31 at most.  No dot: rc.d/jail takes it for an underscore.
bool is_jail_name(std::string_view text);
/// Letters, digits and _ , as jib wants it; 11 at most, so that "e0a_NAME" is an interface's name.
bool is_vnet_jail_name(std::string_view text);
/// A letter, then letters, digits and _ : 15 at most (IFNAMSIZ less the final zero).
bool is_interface(std::string_view text);
/// The same or one of its VLANs: "em0.100".
bool is_egress(std::string_view text);
/// "bridge0": what if_bridge's cloner takes.
bool is_bridge_clone(std::string_view text);
/// A name for a redirect: letters, digits, _ and - : 31 at most.
bool is_redirect_name(std::string_view text);
/// Letters, digits, - and dots between them: 255 at most.
bool is_hostname(std::string_view text);
/// Absolute; letters, digits, _ . - between single slashes, no "..".  "/" itself is one.
bool is_path(std::string_view text);
bool is_user(std::string_view text);
/// Printable ASCII, at most 1000; quoted by home/quote.h.
bool is_command(std::string_view text);
/// A variable of rc.conf: begins with a small letter or _ , then letters, digits and _ .
bool is_rc_name(std::string_view text);
/// Printable ASCII without what means something to sh within double quotes.
bool is_rc_value(std::string_view text);

}  // namespace adit::home
