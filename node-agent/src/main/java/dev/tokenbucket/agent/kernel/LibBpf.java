// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.Delegate;
import org.jspecify.annotations.Nullable;

/**
 * The functions of libbpf 1.1 ({@code libbpf.so.1}) and libc that the agent uses, by their C names.
 * libbpf's functions that return {@code int} return a negative errno on failure.
 */
public interface LibBpf {
  @Nullable Pointer bpf_object__open_file(String path, @Nullable Pointer options);

  @Nullable Pointer bpf_object__open_mem(byte[] object, long size, @Nullable Pointer options);

  int bpf_object__load(Pointer object);

  void bpf_object__close(Pointer object);

  @Nullable Pointer bpf_object__find_map_by_name(Pointer object, String name);

  @Nullable Pointer bpf_object__find_program_by_name(Pointer object, String name);

  int bpf_program__fd(Pointer program);

  int bpf_map__fd(Pointer map);

  int bpf_map__set_pin_path(Pointer map, String path);

  int bpf_map__set_max_entries(Pointer map, int entries);

  int bpf_map__set_value_size(Pointer map, int size);

  int bpf_map__set_initial_value(Pointer map, byte[] data, long size);

  int bpf_map_create(
      int type, String name, int keySize, int valueSize, int maxEntries, @Nullable Pointer options);

  @Nullable Pointer ring_buffer__new(
      int map, Sample sample, @Nullable Pointer context, @Nullable Pointer options);

  int ring_buffer__poll(Pointer ring, int timeoutMillis);

  void ring_buffer__free(Pointer ring);

  /** Receives each event of a ring buffer. An exception must not leave it: the caller is C. */
  interface Sample {
    @Delegate
    int take(@Nullable Pointer context, Pointer event, long size);
  }

  int bpf_map_lookup_elem(int fd, byte[] key, byte[] value);

  int bpf_map_update_elem(int fd, byte[] key, byte[] value, long flags);

  int bpf_map_lookup_batch(
      int fd,
      byte @Nullable [] inCursor,
      byte[] outCursor,
      byte[] keys,
      byte[] values,
      int[] count,
      @Nullable Pointer options);

  int bpf_map_delete_elem(int fd, byte[] key);

  int bpf_obj_pin(int fd, String path);

  int bpf_obj_get(String path);

  int bpf_link_update(int linkFd, int programFd, @Nullable Pointer options);

  int bpf_link_detach(int linkFd);

  int bpf_obj_get_info_by_fd(int fd, Pointer info, int[] size);

  int bpf_prog_test_run_opts(int fd, Pointer options);

  int bpf_tc_hook_create(Pointer hook);

  int bpf_tc_hook_destroy(Pointer hook);

  int bpf_tc_attach(Pointer hook, Pointer options);

  int bpf_tc_detach(Pointer hook, Pointer options);

  int bpf_tc_query(Pointer hook, Pointer options);

  long syscall(long number, long a, Pointer b, long c);

  long syscall(long number, long a, long b, long c);

  @Nullable Pointer if_indextoname(int index, byte[] name);

  int socket(int domain, int type, int protocol);

  int bind(int fd, byte[] address, int length);

  long send(int fd, byte[] message, long length, int flags);

  long recv(int fd, byte[] message, long length, int flags);

  int poll(Pointer descriptors, long count, int timeoutMillis);

  @Nullable Pointer mmap(
      @Nullable Pointer address, long length, int protection, int flags, int fd, long offset);

  int munmap(Pointer address, long length);

  int sched_getcpu();

  int sched_setaffinity(int thread, long size, byte[] mask);

  int mount(String source, String target, String type, long flags, String data);

  int fcntl(int fd, int command, int argument);

  int ioctl(int fd, long request, Pointer argument);

  int open(String path, int flags);

  int flock(int fd, int operation);

  int close(int fd);
}
