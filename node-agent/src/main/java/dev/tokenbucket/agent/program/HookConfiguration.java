package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** A hook's policy set as its program has it: {@code struct hook_configuration} of policy.h. */
public record HookConfiguration(Direction direction, List<Entry> policies) {
  /** Bytes of the C structure. */
  public static final int SIZE = 16 + 64 * 8;

  /** Policies that one hook can hold. */
  public static final int MAX_POLICIES = 64;

  static final int PER_SOURCE = 1;
  static final int BYTES = 1 << 1;
  static final int AUDIT = 1 << 2;

  /** A policy by its slot, and what the program does for it. */
  public record Entry(int slot, int flags) {}

  byte[] encode() {
    ByteBuffer to = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());
    int features = policies.stream().mapToInt(Entry::flags).reduce(0, (a, b) -> a | b);
    to.putInt(direction == Direction.Egress ? 1 : 0)
        .putInt(policies.size())
        .putInt(features)
        .putInt(0);
    policies.forEach(policy -> to.putInt(policy.slot()).putInt(policy.flags()));
    return to.array();
  }

  static HookConfiguration decode(byte[] bytes) {
    ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    Direction direction = from.getInt() == 0 ? Direction.Ingress : Direction.Egress;
    int count = Math.min(from.getInt(), MAX_POLICIES);
    from.position(16);
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      entries.add(new Entry(from.getInt(), from.getInt()));
    }
    return new HookConfiguration(direction, List.copyOf(entries));
  }
}
