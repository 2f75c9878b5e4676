/* SPDX-License-Identifier: MIT */
/* server_inject SCENARIO SERVER APP PID [NAME]: lets every call that the server makes for a client fail in turn, with every errno, by
   means of tests/preload/inject.c. The client is served or it is told, soon; the next one is served; the server lives on, with
   as many descriptors as before. NAME is one for the host of APP; $FROM is the client's own IP, where there is an identd. */
#include "net.h"
#include "faults/inject.h"
#include <sys/time.h>

static struct injection *injection;
static const char *server, *app, *host;
static int server_pid;
static const char *problem; /* the client's, who was neither served nor told */

static int dial(const char *where) {
  const int fd = tcp_socket(AF_INET);
  struct timeval patience = {.tv_sec = 30};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (getenv("FROM") && bind_to(fd, getenv("FROM"), AF_INET) != 0)
    die("bind");
  if (connect_to(fd, where, AF_INET) != 0)
    die("connect to the server");
  return fd;
}

/* A request; with a name instead of an address that is SOCKS4A. */
static void request(int fd, int command, const char *where, const char *name) {
  socklen_t length;
  const struct sockaddr_storage storage = parse_address(where, AF_INET, &length);
  const struct sockaddr_in *address = (const struct sockaddr_in *)&storage;
  char bytes[128] = {4, command}, *end = bytes + 8;
  memcpy(bytes + 2, &address->sin_port, 2);
  memcpy(bytes + 4, name ? "\0\0\0\1" : (const char *)&address->sin_addr, 4);
  end = stpcpy(end, "user") + 1;
  if (name)
    end = stpcpy(end, name) + 1;
  if (send(fd, bytes, end - bytes, MSG_NOSIGNAL) < 0)
    return; /* it has been closed already, as recv() will tell */
}

/* 92: no identd that can be asked. There is one, and it knows the client. */
static int is_refusal(int code) { return code == 91 || (code == 92 && getenv("FROM")); }

/* 1: there it is; 0: the server has ended the connection, or refuses. */
static int reply(int fd, struct sockaddr_in *address) {
  unsigned char bytes[8];
  const ssize_t got = recv(fd, bytes, sizeof bytes, MSG_WAITALL);
  if (got < 0 && errno == EAGAIN)
    problem = "no reply";
  if (got == 8 && bytes[0] == 0 && bytes[1] == 90) {
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    memcpy(&address->sin_port, bytes + 2, 2);
    memcpy(&address->sin_addr, bytes + 4, 4);
    return 1;
  }
  if (got == 8 && !is_refusal(bytes[1]))
    problem = "a reply that is none";
  return 0;
}

/* 1: the text has come; 0: the end; anything else is a problem. */
static int expect(int fd, const char *text) {
  char bytes[4096];
  size_t length = strlen(text), seen = 0;
  while (seen < length) {
    const ssize_t got = recv(fd, bytes, length - seen, 0);
    if (got < 0 && errno == EAGAIN)
      problem = "bytes are missing, and no end";
    if (got <= 0)
      return 0;
    if (memcmp(bytes, text + seen, got) != 0)
      return problem = "other bytes", 0;
    seen += got;
  }
  return 1;
}

static int expect_end(int fd) {
  char byte;
  const ssize_t got = recv(fd, &byte, 1, 0);
  if (got > 0 || (got < 0 && errno == EAGAIN))
    problem = got > 0 ? "a byte too many" : "no end";
  return got == 0;
}

static int tell(int fd, const char *text) { return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text); }

/* Each is 1 if all went well, 0 if the client was told that it did not. */
typedef int scenario(void);

static int served(int fd) {
  struct sockaddr_in seen;
  char greeting[64];
  if (!reply(fd, &seen))
    return 0;
  snprintf(greeting, sizeof greeting, "app %s\n", address_text(&seen));
  return expect(fd, greeting) && tell(fd, "echo hello\n") && expect(fd, "hello\n") && shutdown(fd, SHUT_WR) == 0 &&
         expect_end(fd);
}

static int connect_by(const char *name) {
  const int fd = dial(server);
  request(fd, 1, app, name);
  const int good = served(fd);
  close(fd);
  return good;
}

static int run_connect(void) { return connect_by(NULL); }
static int run_host(void) { return connect_by(host); }
/* Not for the resolver. */
static int run_name(void) {
  char figures[64];
  snprintf(figures, sizeof figures, "%.*s", (int)strcspn(app, ":"), app);
  return connect_by(figures);
}

static int run_refused(void) {
  char nowhere[64];
  struct sockaddr_in none;
  const int fd = dial(server);
  snprintf(nowhere, sizeof nowhere, "%.*s:1", (int)strcspn(app, ":"), app);
  request(fd, 1, nowhere, NULL);
  const int granted = reply(fd, &none);
  if (granted)
    problem = "granted";
  close(fd);
  return 1;
}

/* The call comes from the application server's address. */
static int call_in(const struct sockaddr_in *where) {
  char here[64];
  snprintf(here, sizeof here, "%.*s:0", (int)strcspn(app, ":"), app);
  const int fd = tcp_socket(AF_INET);
  struct timeval patience = {.tv_sec = 30};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  bind_to(fd, here, AF_INET);
  if (connect(fd, (const struct sockaddr *)where, sizeof *where) == 0)
    return fd;
  close(fd);
  return -1;
}

static int bind_by(const char *name) {
  struct sockaddr_in where, caller;
  const int fd = dial(server);
  request(fd, 2, app, name);
  int good = reply(fd, &where), call = good ? call_in(&where) : -1;
  good = call >= 0 && reply(fd, &caller) && tell(call, "from outside\n") && expect(fd, "from outside\n") &&
         tell(fd, "from inside\n") && expect(call, "from inside\n") && shutdown(call, SHUT_WR) == 0 && expect_end(fd) &&
         shutdown(fd, SHUT_WR) == 0 && expect_end(call);
  if (call >= 0 && !good) { /* it is told, too */
    char rest[64];
    ssize_t got;
    while ((got = recv(call, rest, sizeof rest, 0)) > 0)
      ;
    if (got < 0 && errno == EAGAIN)
      problem = "the caller is not told";
  }
  if (call >= 0)
    close(call);
  close(fd);
  return good;
}

static int run_bind(void) { return bind_by(NULL); }
static int run_host_bind(void) { return bind_by(host); }

static const struct { const char *name; scenario *run; } scenarios[] = {
    {"connect", run_connect}, {"name", run_name}, {"refused", run_refused},
    {"bind", run_bind},       {"host", run_host}, {"host-bind", run_host_bind}};

static int descriptors(void) {
  char folder[64];
  int count = 0;
  snprintf(folder, sizeof folder, "/proc/%d/fd", server_pid);
  DIR *open = opendir(folder);
  if (!open)
    return -1;
  while (readdir(open))
    ++count;
  closedir(open);
  return count;
}

/* The server closes what it has when it hears that the client has gone. */
static int settles_at(int expected) {
  for (int i = 0; i < 6000; ++i) {
    if (descriptors() <= expected)
      return 1;
    usleep(5000);
  }
  return 0;
}

/* How many it has when it serves nobody: the fewest for a while. Should it be slower than that, it has fewer later. */
static int at_rest(void) {
  int fewest = descriptors();
  for (int i = 0; i < 200; ++i) {
    const int now = descriptors();
    if (now < fewest)
      fewest = now, i = 0;
    usleep(1000);
  }
  return fewest;
}

static int injected, failed, usual;

static void complain(const char *what, enum call call, int nth, int error, int lasts) {
  ++failed;
  fact("%s: %s number %d%s: %s", what, injectables[call].name, nth, lasts ? " and later" : "",
       fault_text(error));
}

static void on_alarm(int signal) {
  (void)signal;
  injection->armed = 0;
}

/* A shortage lasts a fifth of a second. */
static void inject(scenario *run, enum call call, int nth, int error, int lasts) {
  const struct itimerval shortage = {.it_value = {.tv_usec = 200000}}, none = {0};
  memset((void *)injection, 0, sizeof *injection);
  injection->call = call;
  injection->nth = nth;
  injection->error = error;
  injection->lasts = lasts;
  problem = NULL;
  setitimer(ITIMER_REAL, &shortage, NULL);
  injection->armed = 1;
  run();
  injection->armed = 0;
  setitimer(ITIMER_REAL, &none, NULL);
  injected += injection->injected > 0;
  if (problem)
    complain(problem, call, nth, error, lasts);
  problem = NULL;
  if (!run() || problem)
    complain(problem ? problem : "the next client is not served", call, nth, error, lasts);
  if (!settles_at(usual)) {
    complain("descriptors are left", call, nth, error, lasts);
    usual = descriptors();
  }
  if (descriptors() < usual)
    usual = descriptors();
}

/* The server waits for edges: EAGAIN, or less than is asked for, where there is more to be had would be a lie that the
   kernel does not tell. And a client that cannot be accepted is none of the others' business. */
static int is_possible(scenario *run, enum call call, int error) {
  const int is_data = call == call_splice || call == call_recv || call == call_send;
  if ((error == EAGAIN && is_data) || (error == SHORT && call == call_recv))
    return 0;
  return call != call_accept4 || run == run_connect;
}

/* A thread is only begun for the first name. */
static void inject_first(void) {
  if (!run_connect() || problem)
    fact("the server does not work without faults: %s", problem), exit(1);
  usleep(200000);
  usual = descriptors();
  inject(run_host, call_pthread_create, 1, EAGAIN, 0);
  if (injected != 1)
    fact("the server has a thread for names already"), exit(1);
}

static void inject_all(scenario *run) {
  int made[calls];
  if (!run() || problem || (usual = descriptors()) < 0)
    fact("the server does not work without faults: %s", problem), exit(1);
  usual = at_rest();
  memset((void *)injection, 0, sizeof *injection);
  injection->call = calls;
  injection->armed = 1;
  run();
  settles_at(usual);
  injection->armed = 0;
  memcpy(made, (void *)injection->made, sizeof made);
  for (int call = 0; call < calls; ++call)
    for (int nth = 1; nth <= made[call]; ++nth)
      for (const int *error = injectables[call].errors; *error; ++error) {
        if (!is_possible(run, call, *error))
          continue;
        inject(run, call, nth, *error, 0);
        if (may_last(*error) && nth == 1)
          inject(run, call, nth, *error, 1);
      }
}

int main(int argc, char **argv) {
  injection = map_injection();
  if (!injection || argc < 5)
    fact("INJECT is no file: %s", strerrorname_np(errno)), exit(2);
  server = argv[2], app = argv[3], server_pid = atoi(argv[4]), host = argv[5];
  const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; ++i)
    if (strcmp(argv[1], scenarios[i].name) == 0) {
      if (scenarios[i].run == run_host && !getenv("FROM"))
        inject_first();
      inject_all(scenarios[i].run);
    }
  fact("%s: %d faults injected, %d not survived", argv[1], injected, failed);
  return failed || !injected;
}
