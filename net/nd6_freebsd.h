/* IPv6 of an interface, as far as <netinet6/nd6.h> has it, which is no C++. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Keeps the kernel from giving the interface addresses of its own, from asking for routers there, and from looking for
   others with an address that is added.  0, or -1 with errno. */
int adit_nd6_set_quiet(int inet6_socket, const char* interface);

#ifdef __cplusplus
}
#endif
