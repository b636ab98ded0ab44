/** What a loader has to know of the `host`. */
export interface LoadOptions {
  /** Whether there is a `host.secret`. Without one a `$secret://` reference is a fault. */
  readonly hasSecretResolver: boolean;
}
