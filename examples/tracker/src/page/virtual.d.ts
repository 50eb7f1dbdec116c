declare module 'virtual:query-sources' {
  /** By the name of the query: its source, as it is written on the server. */
  const sources: Readonly<Record<string, string>>;
  export default sources;
}
