/* SPDX-License-Identifier: MIT */
/* A module of the name service switch, to be installed as libnss_asks.so.2, that asks a server over TCP in the process
   itself, as those of PostgreSQL and LDAP do: that at $ASKS. With $LOOKUP_BEGUN, the number of a descriptor, the first
   question writes a byte there and waits for ever. It knows every user, and every host as $HOST_IP. */
#include "net.h"
#include <netdb.h>
#include <nss.h>
#include <pwd.h>

static int is_answered(void) {
  const char *begun = getenv("LOOKUP_BEGUN"), *asks = getenv("ASKS");
  static int questions;
  if (begun && questions++ == 0) {
    if (write(atoi(begun), "x", 1) == 1)
      poll(NULL, 0, -1);
  }
  if (!asks)
    return 1;
  int fd = socket(AF_INET, SOCK_STREAM, 0), connected = connect_to(fd, asks, AF_INET);
  close(fd);
  return connected == 0;
}

enum nss_status _nss_asks_getpwuid_r(uid_t uid, struct passwd* entry, char* room, size_t size, int* error) {
  if (size < 8 || !is_answered())
    return *error = ENOENT, NSS_STATUS_UNAVAIL;
  char* empty = strcpy(room, "someone") + 7;
  *entry = (struct passwd){room, empty, uid, uid, empty, empty, empty};
  return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_asks_gethostbyname2_r(const char* name, int family, struct hostent* entry, char* room, size_t size,
                                           int* error, int* host_error) {
  struct {
    char* addresses[2];
    char* aliases[1];
    struct in_addr address;
    char name[64];
  }* own = (void*)room;
  if (family != AF_INET || size < sizeof *own || !getenv("HOST_IP") || !is_answered())
    return *error = ENOENT, *host_error = HOST_NOT_FOUND, NSS_STATUS_NOTFOUND;
  memset(own, 0, sizeof *own);
  inet_pton(AF_INET, getenv("HOST_IP"), &own->address);
  own->addresses[0] = (char*)&own->address;
  snprintf(own->name, sizeof own->name, "%s", name);
  *entry = (struct hostent){own->name, own->aliases, AF_INET, sizeof own->address, own->addresses};
  return NSS_STATUS_SUCCESS;
}
