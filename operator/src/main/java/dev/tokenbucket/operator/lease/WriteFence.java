package dev.tokenbucket.operator.lease;

import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets a write out only while the lease is held, as seen on the wire: from when a renewal that the
 * API server confirmed was sent, for as long as the renewal deadline. A process that was stopped or
 * starved for longer finds the fence shut at its next write, before any timer has told it so.
 */
final class WriteFence implements Interceptor {
  private static final Set<String> WRITES = Set.of("POST", "PUT", "PATCH", "DELETE");

  /** Questions about one's own rights are posted, and write nothing. */
  private static final String REVIEWS = "/apis/authorization.k8s.io/";

  /** Both clocks, since the one may stand still while the machine sleeps and the other jump. */
  private record Times(long nanos, long millis) {}

  private final String leases;
  private final Duration hold;
  private final LongSupplier nanoClock;
  private final LongSupplier wallClock;
  private final Consumer<String> refused;
  private volatile @Nullable Times renewalSent;
  private volatile @Nullable Times renewed;
  private volatile boolean shut;

  /**
   * @param leases the path of the leases in the namespace of ours; nobody writes another there
   * @param hold how long a renewal is good for
   * @param nanoClock as {@link System#nanoTime()}
   * @param wallClock as {@link System#currentTimeMillis()}
   * @param refused is told what was refused, before the write fails
   */
  WriteFence(
      String leases,
      Duration hold,
      LongSupplier nanoClock,
      LongSupplier wallClock,
      Consumer<String> refused) {
    this.leases = leases;
    this.hold = hold;
    this.nanoClock = nanoClock;
    this.wallClock = wallClock;
    this.refused = refused;
  }

  /** Whether a write would be let out now. */
  boolean open() {
    Times last = renewed;
    return !shut
        && last != null
        && nanoClock.getAsLong() - last.nanos() < hold.toNanos()
        && wallClock.getAsLong() - last.millis() < hold.toMillis();
  }

  /** Lets nothing out any more, whatever becomes of the lease. */
  void shut() {
    shut = true;
  }

  @Override
  public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
    String path = request.uri().getPath();
    if (!WRITES.contains(request.method()) || path.startsWith(REVIEWS)) {
      return;
    }
    if (path.startsWith(leases)) {
      renewalSent = new Times(nanoClock.getAsLong(), wallClock.getAsLong());
      return;
    }
    if (!open()) {
      String what = request.method() + " " + path;
      // A successor that finds the lease in its own name leads before it has renewed it: it waits.
      if (renewed != null || shut) {
        refused.accept(what);
      }
      throw new IllegalStateException(what + " without the lease");
    }
  }

  @Override
  public void after(
      HttpRequest request, HttpResponse<?> response, AsyncBody.Consumer<List<ByteBuffer>> body) {
    if (response.isSuccessful()
        && WRITES.contains(request.method())
        && request.uri().getPath().startsWith(leases)) {
      renewed = renewalSent;
    }
  }
}
