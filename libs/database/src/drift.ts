import type { DataSource } from 'typeorm';

/**
 * For tests: throws when the migrated schema and the entities differ, and when an index or
 * constraint has no name of its own (TypeORM's generated names change with the columns).
 */
export async function assertNoDrift(dataSource: DataSource): Promise<void> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  const problems = [...unnamed(dataSource), ...upQueries.map(({ query }) => query)];
  if (problems.length > 0) {
    throw new Error(`Entities and migrations differ:\n${problems.join('\n')}`);
  }
}

function unnamed(dataSource: DataSource): string[] {
  return dataSource.entityMetadatas.flatMap((entity) => [
    ...entity.primaryColumns
      .filter((column) => !column.primaryKeyConstraintName)
      .map((column) => `primary key of ${entity.tableName} (${column.databaseName}) has no name`),
    ...[...entity.indices, ...entity.uniques, ...entity.checks]
      .filter(({ givenName }) => !givenName)
      .map(({ name }) => `${name} of ${entity.tableName} has a generated name`),
    ...entity.foreignKeys
      .filter(({ givenName }) => !givenName)
      .map(({ name }) => `${name} of ${entity.tableName} has a generated name`),
  ]);
}
