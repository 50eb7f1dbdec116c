/** Asks a route of the demo. @throws Error with what it says */
export async function request<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  }).catch(() => {
    throw new Error('The server cannot be reached.');
  });
  if (!response.ok) throw new Error((await response.text()) || response.statusText);
  return (await response.json()) as Answer;
}
