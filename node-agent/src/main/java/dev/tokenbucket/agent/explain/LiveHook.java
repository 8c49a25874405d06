// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.hooks.HookConfiguration.Placed;
import dev.tokenbucket.agent.hooks.HookConfiguration.Running;
import dev.tokenbucket.agent.hooks.HookPrograms;
import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelHooks.Attached;
import dev.tokenbucket.agent.layout.HookConfigurationLayout;
import dev.tokenbucket.agent.layout.HookPolicyLayout;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.pins.Layouts;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A running hook: read, and never changed.
 *
 * @param object the object that the hook's program was loaded from
 * @param configuration the configuration that the program was loaded with
 * @param policies in order, with their slots
 */
record LiveHook(
    Attachment at,
    Attached attached,
    Path object,
    HookConfiguration configuration,
    boolean ethernet,
    List<Placed> policies) {
  /** Also for a hook at XDP: the classifier is the same, and a packet runs through it the same. */
  private static final String OBJECT = "classifier.bpf.o";

  /** Finds running hooks. */
  record Finder(Kernel kernel, Path bpffs, Path objects) {
    /**
     * The hooks of an interface and direction, in the order in which a packet passes them.
     *
     * @param known policies and failsafes that the agent has kept, including the hook's
     * @throws IllegalStateException if the interface has no hook, or one that was made for other
     *     policies
     */
    List<LiveHook> find(
        String interfaceName,
        Direction direction,
        List<NodePolicy> known,
        FailsafeSettings failsafes) {
      int index =
          kernel
              .interfaceIndex(interfaceName)
              .orElseThrow(
                  () -> new IllegalStateException("this host has no interface " + interfaceName));
      Layouts layouts = Layouts.on(bpffs);
      Pins pins = layouts.own();
      HookPrograms programs = new HookPrograms(kernel, layouts, objects);
      List<LiveHook> hooks = new ArrayList<>();
      for (HookPoint point : List.of(HookPoint.XDP, HookPoint.INGRESS, HookPoint.EGRESS)) {
        Attachment at = pins.hook(index, point);
        if (point.direction() == direction && Files.exists(at.folder())) {
          kernel
              .attached(at)
              .map(attached -> of(interfaceName, at, attached, programs, pins, known, failsafes))
              .ifPresent(hooks::add);
        }
      }
      if (hooks.isEmpty()) {
        throw new IllegalStateException(
            "%s %s runs no Tokenbucket program, so nothing limits packets there"
                .formatted(interfaceName, direction));
      }
      return hooks;
    }

    private LiveHook of(
        String interfaceName,
        Attachment at,
        Attached attached,
        HookPrograms programs,
        Pins pins,
        List<NodePolicy> known,
        FailsafeSettings failsafes) {
      Running running =
          programs
              .running(at, attached)
              .orElseThrow(
                  () ->
                      new IllegalStateException(
                          "%s %s runs a program of another version of tb"
                              .formatted(interfaceName, at.point())));
      Path object = objects.resolve(programs.version(at, attached).orElse("")).resolve(OBJECT);
      if (!Files.exists(object)) {
        throw new IllegalStateException(
            ("the object file of the program on %s is missing (%s); check that --state-dir"
                    + " is the agent's")
                .formatted(interfaceName, object));
      }
      return of(at, attached, object, running, pins, known, failsafes);
    }

    private LiveHook of(
        Attachment at,
        Attached attached,
        Path object,
        Running running,
        Pins pins,
        List<NodePolicy> known,
        FailsafeSettings failsafes) {
      PolicySlots slots = new PolicySlots(kernel, pins, objects, any -> {});
      boolean ethernet = HookConfigurationLayout.ETHERNET.in(running.encoded()).getInt(0) != 0;
      List<Placed> placed = placed(running, slots, known);
      HookConfiguration configuration =
          HookConfiguration.of(slots.hashKey(), running.direction(), ethernet, placed, failsafes);
      if (placed.size() != running.policies().size() || !configuration.isOf(running)) {
        throw new IllegalStateException(
            "the kernel runs another set of policies than the agent last kept in"
                + " --state-dir. A change may be under way: try again. If the message stays, an"
                + " older agent left this set");
      }
      return new LiveHook(at, attached, object, configuration, ethernet, placed);
    }
  }

  private static List<Placed> placed(Running running, PolicySlots slots, List<NodePolicy> known) {
    Map<Integer, SlotIdentity> identities = slots.all();
    ByteBuffer all = HookConfigurationLayout.POLICY.in(running.encoded());
    List<Placed> placed = new ArrayList<>();
    for (int i = 0; i < running.policies().size(); i++) {
      int slot = running.policies().get(i).slot();
      ByteBuffer one = HookPolicyLayout.STRUCT.at(all, i);
      int marking = Short.toUnsignedInt(HookPolicyLayout.MARKING_SLOT.in(one).getShort(0));
      int parent = Short.toUnsignedInt(HookPolicyLayout.PARENT_SLOT.in(one).getShort(0));
      SlotIdentity identity = identities.get(slot);
      known.stream()
          .filter(policy -> identity != null && policy.uid().equals(identity.uid()))
          .findFirst()
          .map(policy -> policy.needsLinkSpeed() ? withRateInForce(policy, slots, slot) : policy)
          .ifPresent(policy -> placed.add(new Placed(policy, slot, marking, parent)));
    }
    return List.copyOf(placed);
  }

  private static NodePolicy withRateInForce(NodePolicy policy, PolicySlots slots, int slot) {
    AxisLine line = slots.inForce(slot);
    return policy.withRate(line.rate(RateUnit.Bits), line.burst(RateUnit.Bits));
  }
}
