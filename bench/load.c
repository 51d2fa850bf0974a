/*
 * A closed-loop load generator for one purpose: it replays ready-made HTTP requests over keep-alive connections, one in
 * flight on each, so that whatever made and signed them is out of the picture. It costs a few percent of a core, where
 * a generator in JavaScript would take the very core that is measured.
 *
 *   load FILE PORT CONNECTIONS WARM MEASURE MAX_SECONDS
 *
 * FILE holds raw requests, each ended by a NUL byte. After WARM answers it prints "WARM"; from there it measures until
 * MEASURE answers or MAX_SECONDS, then sends nothing more, waits for the answers under way (an order whose asker hangs
 * up would leave work behind for the next run), and prints one line of JSON. Times are milliseconds. "codes" counts
 * every answer of the run by its status, "answered" every answer since the warm-up. A request is never sent twice: at
 * the end of FILE the run is over.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_SECONDS 10

typedef struct {
  int fd;
  int have;
  int waits;
  double sent_at;
  char answer[262144];
} Connection;

static char *next_request, *end_of_file;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static int fail(const char *what) {
  perror(what);
  return 2;
}

/* Sends the next request of the file; 0 when there is none left, -1 when the connection does not take it whole. */
static int send_next(Connection *c) {
  if (next_request >= end_of_file) return 0;
  size_t length = strlen(next_request);
  c->have = 0;
  c->waits = 1;
  c->sent_at = now();
  if (write(c->fd, next_request, length) != (ssize_t)length) return -1;
  next_request += length + 1;
  return 1;
}

/* Reads what has come. The status when the answer is whole, 0 when more must come, -1 when the connection is gone. */
static int receive(Connection *c) {
  int got = read(c->fd, c->answer + c->have, sizeof c->answer - 1 - c->have);
  if (got <= 0) return -1;
  c->have += got;
  c->answer[c->have] = 0;
  char *blank = strstr(c->answer, "\r\n\r\n");
  if (!blank) return 0;
  char *header = strcasestr(c->answer, "content-length:");
  int length = header && header < blank ? atoi(header + 15) : 0;
  if (c->have < blank - c->answer + 4 + length) return 0;
  c->waits = 0;
  int status = atoi(c->answer + 9);
  return status > 0 && status < 600 ? status : 599;
}

int main(int count, char **argument) {
  if (count != 7) return fputs("usage: load FILE PORT CONNECTIONS WARM MEASURE MAX_SECONDS\n", stderr), 64;
  int file = open(argument[1], O_RDONLY);
  struct stat size;
  if (file < 0 || fstat(file, &size)) return fail(argument[1]);
  next_request = mmap(0, size.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  if (next_request == MAP_FAILED) return fail("mmap");
  end_of_file = next_request + size.st_size;
  int port = atoi(argument[2]), connections = atoi(argument[3]), warm = atoi(argument[4]), measure = atoi(argument[5]);
  double max_seconds = atof(argument[6]);

  double *latency = malloc(sizeof(double) * (measure + 1));
  Connection *all = calloc(connections, sizeof(Connection));
  int codes[600] = {0}, done = 0, measured = 0, answered = 0, waiting = 0;
  int poll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < connections; i++) {
    Connection *c = &all[i];
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (void *)&address, sizeof address)) return fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event watch = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &watch);
    if (send_next(c) != 1) return fail("send");
    waiting++;
  }

  double started_at = now(), measured_from = 0, ended_at = 0;
  struct epoll_event events[512];
  while (waiting > 0) {
    int ready = epoll_wait(poll, events, 512, 100);
    double at = now();
    if (!ended_at && ((measured_from && at - measured_from > max_seconds) || (!measured_from && at - started_at > 3 * max_seconds + 10))) ended_at = at;
    if (ended_at && at - ended_at > DRAIN_SECONDS) return fputs("answers are missing\n", stderr), 3;
    for (int j = 0; j < ready; j++) {
      Connection *c = &all[events[j].data.u32];
      int status = receive(c);
      if (status < 0) return fputs("a connection was closed before its answer\n", stderr), 3;
      if (status == 0) continue;
      waiting--;
      done++;
      codes[status]++;
      if (measured_from) {
        answered++;
        if (!ended_at) latency[measured++] = at - c->sent_at;
        if (measured >= measure && !ended_at) ended_at = at;
      } else if (done >= warm) {
        measured_from = at;
        puts("WARM");
        fflush(stdout);
      }
      if (ended_at) continue;
      int sent = send_next(c);
      if (sent < 0) return fail("send");
      if (sent > 0) waiting++;
      else ended_at = at;
    }
  }

  double seconds = (ended_at ? ended_at : now()) - measured_from;
  qsort(latency, measured, sizeof(double), ascending);
  struct timespec cpu;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
#define AT(share) (measured ? latency[(int)((measured - 1) * (share))] * 1e3 : 0)
  printf("{\"measured\":%d,\"answered\":%d,\"seconds\":%.4f,\"perSecond\":%.1f,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f,\"generatorCpuSeconds\":%.3f,\"codes\":{",
         measured, answered, seconds, measured / seconds, AT(0.5), AT(0.9), AT(0.99), AT(1), cpu.tv_sec + cpu.tv_nsec / 1e9);
  for (int i = 0, some = 0; i < 600; i++)
    if (codes[i]) printf("%s\"%d\":%d", some++ ? "," : "", i, codes[i]);
  puts("}}");
  return 0;
}
