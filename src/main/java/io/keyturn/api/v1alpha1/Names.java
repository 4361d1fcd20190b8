package io.keyturn.api.v1alpha1;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Labels, annotations and names of objects: the table of that title in the API contract. */
public final class Names {

  /** Label of snapshots and aliases: the binding that they belong to, see {@link #label}. */
  public static final String BINDING = "keyturn.io/binding";

  /** Label of snapshots and aliases: the number of the version that they hold, "7". */
  public static final String VERSION = "keyturn.io/version";

  /** Annotation of snapshots and aliases: UID of the binding, so that a namesake is told apart. */
  public static final String BINDING_UID = "keyturn.io/binding-uid";

  /** Annotation of a snapshot: token of the rotation that made it. The first version has none. */
  public static final String TOKEN = "keyturn.io/token";

  /**
   * Annotation of an alias: since when (RFC 3339) its content is this version. A container that
   * started earlier may hold an older one.
   */
  public static final String SINCE = "keyturn.io/since";

  /** Label of a clone, its ReplicaSet and its pods: the workload that it stands in for. */
  public static final String CANARY_FOR = "keyturn.io/canary-for";

  /** Label of a Job that checks a version, and of its pod: the name of the check. */
  public static final String PREFLIGHT = "keyturn.io/preflight";

  /** Label of a workload, value {@code disabled}: no canary is ever cloned from it. */
  public static final String CANARY = "keyturn.io/canary";

  /** Annotation of a clone's pods: keyed MAC of the pod template that they were cloned from. */
  public static final String BASE_TEMPLATE = "keyturn.io/base-template";

  /** Annotation of a rotation's own pods, clones and checks: its name. */
  public static final String ROTATION = "keyturn.io/rotation";

  /** Annotation: on a binding the request to rotate once, on a rotation the request it serves. */
  public static final String ROTATE = "keyturn.io/rotate";

  /** Annotation of a rotation: keyed MAC of the value that its source held when it was started. */
  public static final String SOURCE_FINGERPRINT = "keyturn.io/source-fingerprint";

  /** Annotation of a snapshot: what its store calls the credential. Whoever has it may end it. */
  public static final String CREDENTIAL = "keyturn.io/credential";

  /** Annotation of a snapshot: what keeps its credential alive beside its lease. */
  public static final String CREDENTIAL_OWNER = "keyturn.io/credential-owner";

  /** Annotation of a snapshot: the store that issued it, such as {@code SecretStore/vault}. */
  public static final String STORE = "keyturn.io/store";

  /** Annotation of a snapshot: when its credential was issued (RFC 3339). */
  public static final String ISSUED_AT = "keyturn.io/issued-at";

  /** Annotation of a snapshot: when its credential ended when it was issued (RFC 3339). */
  public static final String EXPIRES_AT = "keyturn.io/expires-at";

  /** Annotation of a snapshot: whether its credential can be renewed. */
  public static final String RENEWABLE = "keyturn.io/renewable";

  /** Annotation of a snapshot: when its credential ends, renewed or not (RFC 3339). */
  public static final String HARD_EXPIRY = "keyturn.io/hard-expiry";

  /** Annotation of a snapshot: when its credential was disabled (RFC 3339). */
  public static final String DISABLED_AT = "keyturn.io/disabled-at";

  /** Annotation of a snapshot: when its credential was revoked (RFC 3339). */
  public static final String REVOKED_AT = "keyturn.io/revoked-at";

  /** Annotation of a snapshot, value {@code true}: its credential was tried then, and refused. */
  public static final String REFUSED = "keyturn.io/refused";

  /** Annotation of a snapshot: which version of its source it is, where the store counts them. */
  public static final String SOURCE_REVISION = "keyturn.io/source-revision";

  /** Label of an intent: the binding for which something is being issued, see {@link #intent}. */
  public static final String ISSUING_FOR = "keyturn.io/issuing-for";

  /** The well-known label that says which tool manages an object. */
  public static final String MANAGED_BY = "app.kubernetes.io/managed-by";

  /** Value of {@link #MANAGED_BY}, and the field manager of each write. */
  public static final String KEYTURN = "keyturn";

  /** Label that keeps Velero from backing up snapshots: a restored one would be an old value. */
  public static final String NO_BACKUP = "velero.io/exclude-from-backup";

  /** Finalizer of a rotation under way: it is rolled back, or finished, before it may go. */
  public static final String FINALIZER = "keyturn.io/rotation";

  private static final String TEMPLATE_PREFIX = "version.keyturn.io/";
  private static final int MAX_LABEL = 63;

  private Names() {}

  /**
   * The annotation that Keyturn writes on pod templates: {@code version.keyturn.io/<secret name>}.
   *
   * @param secretName the alias
   */
  public static String versionAnnotation(String secretName) {
    return TEMPLATE_PREFIX + label(secretName);
  }

  /** Whether an annotation of a pod template is one of {@link #versionAnnotation}. */
  public static boolean isVersionAnnotation(String key) {
    return key.startsWith(TEMPLATE_PREFIX);
  }

  /**
   * The name as a label value or as the name part of an annotation, which Kubernetes limits to 63
   * characters: longer names are truncated and told apart by a hash.
   */
  public static String label(String name) {
    return truncate(name, MAX_LABEL);
  }

  /** {@code <alias>-v<version>-<fingerprint>}: the name of a snapshot, never used twice. */
  public static String snapshot(String alias, long version, String fingerprint) {
    return alias + "-" + versionId(version, fingerprint);
  }

  /**
   * {@code <alias>-issuing}: the name of the Secret without data that says what is about to be
   * issued, from before it is until it is recorded.
   */
  public static String intent(String alias) {
    return alias + "-issuing";
  }

  /** {@code v7-1a2b3c4d}: how a version is called on pod templates. */
  public static String versionId(long version, String fingerprint) {
    return "v" + version + "-" + fingerprint;
  }

  /** The version id within the name of a snapshot: its last two parts. */
  public static String versionIdOf(String snapshot) {
    return snapshot.substring(snapshot.lastIndexOf('-', snapshot.lastIndexOf('-') - 1) + 1);
  }

  /** The fingerprint within the name of a snapshot: its last part. */
  public static String fingerprintOf(String snapshot) {
    return snapshot.substring(snapshot.lastIndexOf('-') + 1);
  }

  /** {@code <binding>-<version>}: the name of a rotation. */
  public static String rotation(String binding, long version) {
    return binding + "-" + version;
  }

  /** The version within the name of a rotation; 0 if it is no name that Keyturn gives. */
  public static long versionOfRotation(String rotation) {
    return number(rotation.substring(rotation.lastIndexOf('-') + 1));
  }

  /** The version within the name of a snapshot; 0 if it is no name that Keyturn gives. */
  public static long versionOfSnapshot(String snapshot) {
    String id = versionIdOf(snapshot);
    return id.startsWith("v") && id.contains("-") ? number(id.substring(1, id.indexOf('-'))) : 0;
  }

  /** The number of a version as {@link #VERSION} has it; 0 if it is none: people edit labels. */
  public static long number(String text) {
    try {
      return text != null && text.matches("[0-9]+") ? Long.parseLong(text) : 0;
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /**
   * Name of the clone of a Deployment: deterministic for a rotation, a valid label, and different
   * from that of any other rotation.
   *
   * @param suffix of its rotation
   */
  public static String clone(String workload, String suffix) {
    return truncate(workload, MAX_LABEL - suffix.length()) + suffix;
  }

  /** What the names of all clones of a rotation end with. */
  public static String cloneSuffix(String rotationUid) {
    return "-canary-" + hash(rotationUid);
  }

  /**
   * Name of the Job of a check: deterministic for a rotation, a valid label, and different from
   * that of any other rotation.
   */
  public static String preflight(String rotation, String check, String rotationUid) {
    return truncate(rotation, MAX_LABEL - 11 - check.length())
        + "-"
        + check
        + "-"
        + hash(rotationUid + "/" + check);
  }

  private static String truncate(String name, int length) {
    return name.length() <= length
        ? name
        : name.substring(0, length - 10).replaceAll("[-_.]+$", "") + "-" + hash(name);
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 4);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
