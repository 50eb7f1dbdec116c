import type { TextOrders } from '@sluice/core/flow/text-orders';
import type { Run } from '../../source/source.js';

/**
 * Asks Postgres until every wanted text has its place. Whether it sees any row is nothing to it: any connection will do.
 * @returns whether anything was asked
 */
export async function placeTexts(run: Run, orders: TextOrders): Promise<boolean> {
  let any = false;
  for (let questions = orders.questions(); questions.length > 0; questions = orders.questions()) {
    any = true;
    for (const { collation, texts } of questions) {
      const { rows } = await run(orderSql(collation), [JSON.stringify(texts)]);
      orders.answer(
        collation,
        rows.map(([text]) => text ?? ''),
      );
    }
  }
  return any;
}

function orderSql(collation: string): string {
  return `SELECT t FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) AS e(t) ORDER BY t COLLATE ${collation}`;
}
