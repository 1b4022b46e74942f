#include "net/nd6_freebsd.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet6/in6_var.h>
#include <netinet6/nd6.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

int adit_nd6_set_quiet(int inet6_socket, const char* interface) {
  struct in6_ndireq request;
  memset(&request, 0, sizeof request);
  strlcpy(request.ifname, interface, sizeof request.ifname);
  if (ioctl(inet6_socket, SIOCGIFINFO_IN6, &request) < 0) return -1;
  request.ndi.flags &= ~(unsigned)(ND6_IFF_AUTO_LINKLOCAL | ND6_IFF_ACCEPT_RTADV);
  request.ndi.flags |= ND6_IFF_NO_DAD;
  return ioctl(inet6_socket, SIOCSIFINFO_FLAGS, &request);
}
