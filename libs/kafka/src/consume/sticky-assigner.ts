import kafkajs, { type Cluster, type PartitionAssigner } from 'kafkajs';
import { shareOut } from './share-out.ts';

// CommonJS: Node does not see these as named exports.
const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;

const NAME = 'lethe-sticky';
const VERSION = 0;

/** Members say which partitions they hold; the leader of the group moves as few as possible. */
export function stickyAssigner(held: () => Iterable<number>): PartitionAssigner {
  return ({ cluster }: { cluster: Cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.from(JSON.stringify([...held()])) }),
    }),
    assign: async ({ members, topics: [topic = ''] }) => {
      const shares = shareOut(
        members.map(({ memberId, memberMetadata }) => ({ id: memberId, owned: ownedBy(memberMetadata) })),
        cluster.findTopicPartitionMetadata(topic).length,
      );
      return [...shares].map(([memberId, partitions]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: VERSION,
          assignment: { [topic]: partitions },
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

function ownedBy(metadata: Buffer): number[] {
  try {
    const owned: unknown = JSON.parse(String(MemberMetadata.decode(metadata)?.userData ?? '[]'));
    return Array.isArray(owned) ? owned.filter((each): each is number => Number.isInteger(each)) : [];
  } catch {
    return [];
  }
}
