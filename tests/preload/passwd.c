/* SPDX-License-Identifier: MIT */
/* getpwuid_r() with a lock, like glibc's. The first call sets look_up_begun, upon which the main thread calls fork().
   It holds the lock until the main thread sleeps: in fork(), which waits for this call, or because it waits for its
   child. */
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

volatile int look_up_begun, is_forking;

static int is_asleep(pid_t thread) {
  char path[64], state = '?';
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
  FILE* file = fopen(path, "re");
  if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
    state = '?';
  if (file)
    fclose(file);
  return state == 'S';
}

int getpwuid_r(uid_t uid, struct passwd* entry, char* room, size_t size, struct passwd** found) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);
  int is_first = !look_up_begun;
  look_up_begun = 1;
  while (is_first && (!is_forking || !is_asleep(getpid())))
    sched_yield();
  memset(entry, 0, sizeof *entry);
  snprintf(room, size, "someone");
  entry->pw_name = room;
  entry->pw_uid = uid;
  *found = entry;
  pthread_mutex_unlock(&lock);
  return 0;
}
