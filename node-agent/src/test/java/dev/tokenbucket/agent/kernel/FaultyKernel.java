// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Set;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.jspecify.annotations.Nullable;

/**
 * A kernel in which one of the agent's calls fails, or ends the agent. For one thread at a time.
 */
public final class FaultyKernel {
  /**
   * These calls do not reach the kernel, or release what the kernel releases when a process is
   * killed.
   */
  private static final Set<String> NOT_COUNTED =
      Set.of(
          "close",
          "bpf_object__close",
          "bpf_object__open_file",
          "bpf_object__find_map_by_name",
          "bpf_object__find_program_by_name",
          "bpf_program__fd",
          "bpf_map__fd",
          "bpf_map__set_pin_path",
          "bpf_map__set_max_entries",
          "bpf_map__set_value_size",
          "bpf_map__set_initial_value");

  /** These calls change objects that outlive the agent. */
  private static final Set<String> CHANGES =
      Set.of(
          "bpf_object__load",
          "bpf_map_update_elem",
          "bpf_map_delete_elem",
          "bpf_obj_pin",
          "bpf_link_update",
          "bpf_link_detach",
          "bpf_prog_test_run_opts",
          "bpf_tc_hook_create",
          "bpf_tc_hook_destroy",
          "bpf_tc_attach",
          "bpf_tc_detach");

  /** bpf(2)'s command that attaches to TCX. */
  private static final long BPF_LINK_CREATE = 28;

  private final LinuxKernel kernel;
  private final Fault fault;

  private int calls;
  private int points;
  private boolean changed;
  private int reached;

  /** What happens to the calls. */
  public interface Fault {
    /**
     * A call.
     *
     * @param number 1 for the first
     * @param point how many moments at which it matters whether the agent ends there: before each
     *     call that changes something, and after it, before the next call
     * @return the errno with which it fails; 0 lets it through
     * @throws Killed where the agent ends here
     */
    int at(int number, int point);
  }

  /** The agent has ended, and makes no other call. */
  public static final class Killed extends Error {
    private static final long serialVersionUID = 1;

    public Killed() {
      super("killed");
    }
  }

  /**
   * @param clsactOnly as of {@link LinuxKernel}
   */
  public FaultyKernel(boolean clsactOnly, Fault fault) {
    this.fault = fault;
    this.kernel = new LinuxKernel(clsactOnly, new NativeCalls(this::watched));
  }

  /** The kernel with the fault. */
  public Kernel kernel() {
    return kernel;
  }

  /** How many calls failed. */
  public int failed() {
    return reached;
  }

  private LibBpf watched(LibBpf library) {
    Runtime runtime = Runtime.getRuntime(library);
    return (LibBpf)
        Proxy.newProxyInstance(
            LibBpf.class.getClassLoader(),
            new Class<?>[] {LibBpf.class},
            (proxy, method, arguments) -> {
              int errno = NOT_COUNTED.contains(method.getName()) ? 0 : next(method, arguments);
              if (errno != 0) {
                reached++;
                return failure(method, errno, runtime);
              }
              try {
                return method.invoke(library, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private int next(Method method, Object[] arguments) {
    boolean change =
        CHANGES.contains(method.getName())
            || (method.getName().equals("syscall") && arguments[1].equals(BPF_LINK_CREATE));
    points += change || changed ? 1 : 0;
    changed = change;
    return fault.at(++calls, points);
  }

  /**
   * Fails as the function does: libbpf's functions return the errno, and the C library's set it.
   */
  private static @Nullable Object failure(Method method, int errno, Runtime runtime) {
    runtime.setLastError(errno);
    if (method.getReturnType() == Pointer.class) {
      return null;
    }
    if (method.getReturnType() == long.class) {
      return -1L;
    }
    return method.getName().startsWith("bpf_") ? -errno : -1;
  }
}
