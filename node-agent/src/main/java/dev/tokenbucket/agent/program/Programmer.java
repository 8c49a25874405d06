package dev.tokenbucket.agent.program;

import static dev.tokenbucket.agent.program.HostInterfaces.LinkLayer.ETHERNET;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the kernel to run a set of policies, and reads back what it runs. What is there already
 * and right is left alone; all state is the kernel's, so a restarted agent goes on where the last
 * one stopped. One thread at a time.
 */
public final class Programmer {
  private static final Logger LOG = LoggerFactory.getLogger(Programmer.class);
  private static final int SLOTS = 256;
  private static final int PARAMETERS_SIZE = 2 * AxisLine.SIZE + 8;

  /** {@code struct parameter_change} of parameters.bpf.c. */
  private static final int CHANGE_SIZE = 8 + AxisLine.SIZE + 8;

  private static final int COUNTERS_SIZE = 48;
  private static final int SHARED_BUCKET_SIZE = 64;
  private static final int BUCKET_SIZE = 16;

  /** How far ahead a change of parameters is set, so that it is never late when it is made. */
  private static final long CHANGE_AHEAD_NANOS = 50_000_000;

  private static final int CHANGE_TRIES = 5;

  /** Buckets looked at in one sweep, over all policies. */
  private static final int SWEPT_AT_ONCE = 131_072;

  private final Kernel kernel;
  private final HostInterfaces interfaces;
  private final Pins pins;
  private final Path objects;
  private final Sweeper sweeper;

  /**
   * @param bpffs a folder on a BPF file system
   * @param objects the folder with the compiled programs
   */
  public Programmer(Kernel kernel, Path bpffs, Path objects) {
    this.kernel = kernel;
    this.interfaces = new HostInterfaces(kernel);
    this.pins = Pins.on(bpffs);
    this.objects = objects;
    this.sweeper = new Sweeper(kernel, pins, objects);
  }

  private record HookKey(
      String interfaceName, int ifindex, Direction direction, boolean hasEthernet) {}

  /**
   * Makes these policies, and no others, the ones in force.
   *
   * @return for each policy that could not be programmed, by uid, why; the others are in force
   */
  public Map<String, String> apply(List<NodePolicy> policies) {
    if (policies.isEmpty()) {
      removeAll();
      return Map.of();
    }
    Map<String, String> failures = new LinkedHashMap<>();
    Map<HookKey, List<NodePolicy>> hooks = hooks(policies, failures);
    refuseTooMany(policies, hooks);
    prepareMaps();
    Map<SlotIdentity, Integer> slots = new HashMap<>();
    hooks.forEach(
        (hook, on) ->
            on.forEach(
                policy ->
                    slots.computeIfAbsent(
                        SlotIdentity.of(policy, hook.ifindex()),
                        identity -> program(identity, policy))));
    hooks.forEach((hook, on) -> attach(hook, on, slots));
    removeHooksExcept(hooks.keySet());
    freeSlotsExcept(new HashSet<>(slots.values()));
    return failures;
  }

  /** The policies of each hook, in their order; those that select no interface are failures. */
  private Map<HookKey, List<NodePolicy>> hooks(
      List<NodePolicy> policies, Map<String, String> failures) {
    Map<HookKey, List<NodePolicy>> hooks = new LinkedHashMap<>();
    for (NodePolicy policy : policies.stream().sorted(NodePolicy.ORDER).toList()) {
      var selected = interfaces.select(policy.interfaces());
      if (selected.isEmpty()) {
        failures.put(policy.uid(), "this host has no interface " + wanted(policy.interfaces()));
      }
      selected.forEach(
          (name, index) ->
              interfaces
                  .linkLayer(name)
                  .map(link -> new HookKey(name, index, policy.direction(), link == ETHERNET))
                  .ifPresentOrElse(
                      hook -> hooks.computeIfAbsent(hook, k -> new ArrayList<>()).add(policy),
                      () ->
                          failures.put(
                              policy.uid(),
                              "the link layer of interface "
                                  + name
                                  + " is none that the classifier reads; it limits Ethernet and links"
                                  + " without a header of their own")));
    }
    return hooks;
  }

  private static String wanted(List<InterfaceSelector> selectors) {
    return selectors.stream().map(Programmer::wanted).collect(Collectors.joining(" or "));
  }

  private static String wanted(InterfaceSelector selector) {
    if (selector.name() != null) {
      return "named " + selector.name();
    }
    if (selector.pattern() == null) {
      return "with a default route";
    }
    String matching = "that matches " + selector.pattern();
    return selector.exclude() == null
        ? matching
        : matching + " and not " + String.join(" or ", selector.exclude());
  }

  /** Before anything is changed: a set that can't be run as a whole is refused as a whole. */
  private static void refuseTooMany(
      List<NodePolicy> policies, Map<HookKey, List<NodePolicy>> hooks) {
    // While a policy's new slot is begun its old one still holds a place.
    if (policies.size() > SLOTS / 2) {
      throw new IllegalStateException(
          "a node holds at most " + SLOTS / 2 + " policies, not " + policies.size());
    }
    long slots =
        hooks.entrySet().stream()
            .flatMap(
                on -> on.getValue().stream().map(p -> SlotIdentity.of(p, on.getKey().ifindex())))
            .distinct()
            .count();
    if (slots > SLOTS / 2) {
      throw new IllegalStateException(
          "a node holds at most %d policies, one with bucket.per Interface counted for each of its interfaces, not %d"
              .formatted(SLOTS / 2, slots));
    }
    hooks.forEach(
        (hook, on) -> {
          if (on.size() > HookConfiguration.MAX_POLICIES) {
            throw new IllegalStateException(
                "%s %s: a hook holds at most %d policies, not %d"
                    .formatted(
                        hook.interfaceName(),
                        hook.direction(),
                        HookConfiguration.MAX_POLICIES,
                        on.size()));
          }
        });
  }

  /** Detaches and unpins everything of ours. */
  public void removeAll() {
    if (!Files.exists(pins.root())) {
      return;
    }
    removeHooksExcept(Set.of());
    Pins.remove(pins.root());
    LOG.info("removed every map and pin under {}", pins.root());
  }

  private void prepareMaps() {
    try {
      Files.createDirectories(pins.root().resolve("hooks"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (!Files.exists(pins.identities())) {
      kernel.close(kernel.createArray("identities", SlotIdentity.SIZE, SLOTS, pins.identities()));
    }
    // Loading it creates and pins the host's maps where they are missing.
    kernel.close(loadParametersProgram());
    if (!Files.exists(pins.map("bucket_tables"))) {
      Path scratch = pins.root().resolve("hooks").resolve("scratch");
      try {
        Files.createDirectories(scratch);
        int program =
            kernel.load(
                objects.resolve("classifier.bpf.o"),
                "tokenbucket",
                pins.ofClassifier(scratch),
                Map.of());
        kernel.close(program);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        Pins.remove(scratch);
      }
    }
  }

  private int loadParametersProgram() {
    return kernel.load(
        objects.resolve("parameters.bpf.o"),
        "change_parameters",
        Map.of("parameters", pins.map("parameters")),
        Map.of());
  }

  /** Sees to it that the policy has a slot with its parameters in force; returns the slot. */
  private int program(SlotIdentity wanted, NodePolicy policy) {
    int free = -1;
    int identities = kernel.open(pins.identities());
    try {
      for (int slot = 0; slot < SLOTS; slot++) {
        Optional<SlotIdentity> there =
            SlotIdentity.decode(kernel.lookup(identities, slot, SlotIdentity.SIZE));
        if (there.isPresent() && there.get().equals(wanted)) {
          change(slot, policy);
          return slot;
        }
        if (there.isEmpty() && free < 0) {
          free = slot;
        }
      }
      if (free < 0) {
        throw new IllegalStateException("a node holds at most " + SLOTS + " policies");
      }
      begin(free, policy);
      kernel.update(identities, free, wanted.encode());
      return free;
    } finally {
      kernel.close(identities);
    }
  }

  /** Fills a free slot, which no program reads. */
  private void begin(int slot, NodePolicy policy) {
    withMap("shared_buckets", map -> kernel.update(map, slot, new byte[SHARED_BUCKET_SIZE]));
    for (Attachment hook : pins.hooks()) {
      int counters = kernel.open(hook.folder().resolve("counters"));
      kernel.updatePerCpu(counters, slot, new byte[COUNTERS_SIZE]);
      kernel.close(counters);
    }
    if (policy.per().isTabled()) {
      int keySize = Pins.keySize(policy.per());
      int table = kernel.createHash("buckets", keySize, BUCKET_SIZE, policy.capacity());
      withMap(Pins.tables(policy.per()), map -> kernel.update(map, slot, intBytes(table)));
      kernel.close(table);
    }
    AxisLine line = line(policy, System.nanoTime());
    byte[] both =
        ByteBuffer.allocate(PARAMETERS_SIZE).put(line.encode()).put(line.encode()).array();
    withMap("parameters", map -> kernel.update(map, slot, both));
    logParameters(policy);
  }

  /** Bends the axis where the parameters in force are not those wanted. */
  private void change(int slot, NodePolicy policy) {
    AxisLine now = inForce(slot);
    if (now.sameParameters(line(policy, 0))) {
      return;
    }
    int program = loadParametersProgram();
    try {
      for (int i = 0; i < CHANGE_TRIES; i++) {
        kernel.awaitGracePeriod();
        // A change that was made less than the lead ago may lie ahead of now: bend after it.
        long t0 = Math.max(System.nanoTime(), inForce(slot).t0()) + CHANGE_AHEAD_NANOS;
        ByteBuffer context = ByteBuffer.allocate(CHANGE_SIZE).order(ByteOrder.nativeOrder());
        context.putInt(slot).putInt(0).put(line(policy, t0).encode());
        if (kernel.run(program, context.array()) == 0) {
          logParameters(policy);
          return;
        }
      }
    } finally {
      kernel.close(program);
    }
    throw new IllegalStateException(
        "changing the parameters of "
            + policy.name()
            + " came too late "
            + CHANGE_TRIES
            + " times: the host is overloaded; the old ones stay in force");
  }

  private static AxisLine line(NodePolicy policy, long t0) {
    return AxisLine.of(policy.unit(), policy.rate(), policy.burst(), policy.generation(), t0);
  }

  private AxisLine inForce(int slot) {
    int map = kernel.open(pins.map("parameters"));
    try {
      ByteBuffer both =
          ByteBuffer.wrap(kernel.lookup(map, slot, PARAMETERS_SIZE)).order(ByteOrder.nativeOrder());
      both.position((int) (both.getLong(2 * AxisLine.SIZE) & 1) * AxisLine.SIZE);
      return AxisLine.decode(both);
    } finally {
      kernel.close(map);
    }
  }

  private void attach(HookKey hook, List<NodePolicy> on, Map<SlotIdentity, Integer> slots) {
    List<HookConfiguration.Entry> entries =
        on.stream().map(policy -> entry(hook, policy, slots)).toList();
    HookConfiguration wanted = new HookConfiguration(hook.direction(), hook.hasEthernet(), entries);
    Attachment at = pins.hook(hook.ifindex(), hook.direction());
    Path folder = at.folder();
    Optional<Kernel.Attached> there = kernel.attached(at);
    if (there.isPresent() && configuration(there.get()).equals(Optional.of(wanted))) {
      return;
    }
    if (there.isEmpty()) {
      remove(at);
    }
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    int program =
        kernel.load(
            objects.resolve("classifier.bpf.o"),
            "tokenbucket",
            pins.ofClassifier(folder),
            Map.of(".rodata.hook", wanted.encode()));
    try {
      if (there.isPresent()) {
        kernel.replace(at, program);
      } else {
        kernel.attach(program, at);
      }
    } finally {
      kernel.close(program);
    }
    LOG.info(
        "{} {} on {}: {}",
        there.isPresent() ? "replaced the program of" : "attached to",
        hook.direction(),
        hook.interfaceName(),
        on.stream().map(p -> p.name() + " generation " + p.generation()).toList());
  }

  private Optional<HookConfiguration> configuration(Kernel.Attached attached) {
    return kernel
        .readOnlyData(attached.programId(), HookConfiguration.SIZE)
        .map(HookConfiguration::decode);
  }

  private static HookConfiguration.Entry entry(
      HookKey hook, NodePolicy policy, Map<SlotIdentity, Integer> slots) {
    Integer slot = slots.get(SlotIdentity.of(policy, hook.ifindex()));
    return HookConfiguration.Entry.of(Objects.requireNonNull(slot), policy);
  }

  private void removeHooksExcept(Set<HookKey> kept) {
    Set<Path> folders = new HashSet<>();
    kept.forEach(hook -> folders.add(pins.hook(hook.ifindex(), hook.direction()).folder()));
    for (Attachment hook : pins.hooks()) {
      if (!folders.contains(hook.folder())) {
        remove(hook);
        LOG.info("detached from {}", hook.folder().getFileName());
      }
    }
  }

  /** The hook first, so that it is free before its maps go. */
  private void remove(Attachment hook) {
    kernel.detach(hook);
    Pins.remove(hook.folder());
  }

  private void freeSlotsExcept(Set<Integer> kept) {
    int identities = kernel.open(pins.identities());
    try {
      boolean waited = false;
      for (int slot = 0; slot < SLOTS; slot++) {
        Optional<SlotIdentity> there =
            SlotIdentity.decode(kernel.lookup(identities, slot, SlotIdentity.SIZE));
        if (there.isEmpty() || kept.contains(slot)) {
          continue;
        }
        if (!waited) {
          kernel.awaitGracePeriod();
          waited = true;
        }
        int freed = slot;
        BucketPer per = there.get().per();
        if (per.isTabled()) {
          withMap(Pins.tables(per), map -> kernel.delete(map, freed));
        }
        kernel.update(identities, slot, new byte[SlotIdentity.SIZE]);
        LOG.info("removed policy {}", there.get().name());
      }
    } finally {
      kernel.close(identities);
    }
  }

  /**
   * Removes idle buckets: a bounded part of each table, the next call goes on from there. What is
   * removed was full, so no limit changes by it.
   */
  public void sweep() {
    if (!Files.exists(pins.identities())) {
      return;
    }
    int identities = kernel.open(pins.identities());
    try {
      Map<Integer, SlotIdentity> tabled = new LinkedHashMap<>();
      for (int slot = 0; slot < SLOTS; slot++) {
        int at = slot;
        SlotIdentity.decode(kernel.lookup(identities, slot, SlotIdentity.SIZE))
            .filter(identity -> identity.per().isTabled())
            .ifPresent(identity -> tabled.put(at, identity));
      }
      tabled.forEach((slot, identity) -> sweep(slot, identity, SWEPT_AT_ONCE / tabled.size()));
    } finally {
      kernel.close(identities);
    }
  }

  private void sweep(int slot, SlotIdentity identity, int most) {
    int removed = sweeper.sweep(slot, identity, inForce(slot), most, System.nanoTime());
    if (removed > 0) {
      LOG.debug("removed {} idle buckets of {}", removed, identity.name());
    }
  }

  /** What the kernel runs of ours now; a hook whose interface is gone is left out. */
  public List<RunningHook> running() {
    List<RunningHook> running = new ArrayList<>();
    for (Attachment hook : pins.hooks()) {
      Optional<Kernel.Attached> attached = kernel.attached(hook);
      Optional<HookConfiguration> configuration = attached.flatMap(this::configuration);
      if (attached.isPresent() && configuration.isPresent()) {
        running.add(running(hook.folder(), attached.get(), configuration.get()));
      }
    }
    return List.copyOf(running);
  }

  private RunningHook running(
      Path folder, Kernel.Attached attached, HookConfiguration configuration) {
    List<RunningHook.RunningPolicy> policies = new ArrayList<>();
    int counters = kernel.open(folder.resolve("counters"));
    int identities = kernel.open(pins.identities());
    int notIp = kernel.open(folder.resolve("not_ip"));
    try {
      for (HookConfiguration.Entry entry : configuration.policies()) {
        SlotIdentity.decode(kernel.lookup(identities, entry.slot(), SlotIdentity.SIZE))
            .ifPresent(identity -> policies.add(running(identity, entry, counters)));
      }
      return new RunningHook(
          interfaces.name(attached.ifindex()).orElse("index " + attached.ifindex()),
          configuration.direction(),
          attached.hook().text(),
          attached.programId(),
          sums(kernel.lookupPerCpu(notIp, 0, 8), 1)[0],
          List.copyOf(policies));
    } finally {
      kernel.close(counters);
      kernel.close(identities);
      kernel.close(notIp);
    }
  }

  private RunningHook.RunningPolicy running(
      SlotIdentity identity, HookConfiguration.Entry entry, int counters) {
    AxisLine line = inForce(entry.slot());
    long[] count = sums(kernel.lookupPerCpu(counters, entry.slot(), COUNTERS_SIZE), 6);
    return new RunningHook.RunningPolicy(
        identity.name(),
        identity.uid(),
        line.generation(),
        identity.unit(),
        line.ratePerSecond(identity.unit()),
        line.burst(identity.unit()),
        identity.per(),
        (entry.flags() & HookConfiguration.AUDIT) != 0 ? Mode.Audit : Mode.Enforce,
        count[0],
        count[1],
        count[2],
        count[3],
        count[4],
        count[5]);
  }

  /** Field by field, over the CPUs. */
  static long[] sums(List<byte[]> values, int fields) {
    long[] sums = new long[fields];
    for (byte[] value : values) {
      ByteBuffer from = ByteBuffer.wrap(value).order(ByteOrder.nativeOrder());
      for (int i = 0; i < fields; i++) {
        sums[i] += from.getLong();
      }
    }
    return sums;
  }

  private void withMap(String name, java.util.function.IntConsumer use) {
    int map = kernel.open(pins.map(name));
    try {
      use.accept(map);
    } finally {
      kernel.close(map);
    }
  }

  private static byte[] intBytes(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(value).array();
  }

  private static void logParameters(NodePolicy policy) {
    LOG.info(
        "programmed {} generation {}: {}, burst {}",
        policy.name(),
        policy.generation(),
        policy.unit().rateText(policy.rate()),
        policy.unit().burstText(policy.burst()));
  }
}
