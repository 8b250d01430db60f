/**
 * One month after receipt (Art. 12(3) GDPR): the same day of the next month, at the same time, or its last day where it has no
 * such day (Regulation 1182/71, Art. 3(2)(c)). UTC.
 */
export function dueDate(receivedAt: Date): Date {
  const due = new Date(receivedAt);
  const month = receivedAt.getUTCMonth() + 1;
  due.setUTCMonth(month);
  // Overflow into the month after: back to the last day of the one meant.
  if (due.getUTCMonth() !== month % 12) due.setUTCDate(0);
  return due;
}
