import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.codecs.DocValuesProducer;
import org.apache.lucene.codecs.FieldsProducer;
import org.apache.lucene.codecs.StoredFieldsReader;
import org.apache.lucene.codecs.TermVectorsReader;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.Fields;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.index.SegmentCommitInfo;
import org.apache.lucene.index.SegmentInfo;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.StoredFieldVisitor;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.NIOFSDirectory;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.StringHelper;

/**
 * Writes everything Lucene keeps in the folders named by standard input, one a line, to standard output: stored fields, doc
 * values, terms and names of fields of every segment whose files are there, committed or not. Documents that were deleted but not
 * yet merged away are included: segments are opened by their files, and what says which documents live is not read.
 *
 * A frame is one octet, a length (4 octets, big-endian) and the content: S a segment's path, L a kind of content, D octets, U why
 * something could not be opened.
 */
public final class LuceneOctets {
  private static final DataOutputStream OUT = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));

  public static void main(String[] arguments) throws IOException {
    try (BufferedReader folders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String folder = folders.readLine(); folder != null; folder = folders.readLine()) readIndex(Path.of(folder));
    }
    OUT.flush();
  }

  private static void readIndex(Path index) throws IOException {
    // Lucene would make a folder that has gone meanwhile.
    if (!Files.isDirectory(index)) return;
    try (Directory directory = new NIOFSDirectory(index)) {
      Map<String, Codec> codecs = codecsOf(directory);
      for (String file : directory.listAll()) {
        if (!file.endsWith(".si")) continue;
        String name = file.substring(0, file.length() - ".si".length());
        write('S', index.resolve(name).toString());
        try {
          // A segment that no commit knows yet was written by this version.
          readSegment(directory, name, codecs.getOrDefault(name, Codec.getDefault()));
        } catch (Exception | LinkageError error) {
          // Merged away while it was read: then it is not there any more.
          if (Files.exists(index.resolve(file))) write('U', String.valueOf(error));
        }
      }
    }
  }

  /** Only the commit says which codec wrote a segment. */
  private static Map<String, Codec> codecsOf(Directory directory) throws IOException {
    Map<String, Codec> codecs = new HashMap<>();
    try {
      for (SegmentCommitInfo segment : SegmentInfos.readLatestCommit(directory)) {
        codecs.put(segment.info.name, segment.info.getCodec());
      }
    } catch (IndexNotFoundException noCommitYet) {
      return codecs;
    }
    return codecs;
  }

  private static void readSegment(Directory directory, String name, Codec codec) throws Exception {
    SegmentInfo segment = codec.segmentInfoFormat().read(directory, name, idOf(directory, name), IOContext.DEFAULT);
    segment.setCodec(codec);
    if (!segment.getUseCompoundFile()) {
      readFiles(directory, segment, codec);
      return;
    }
    try (Directory compound = codec.compoundFormat().getCompoundReader(directory, segment)) {
      readFiles(compound, segment, codec);
    }
  }

  /** The header of the file says whose it is (CodecUtil.writeIndexHeader). */
  private static byte[] idOf(Directory directory, String name) throws IOException {
    try (IndexInput input = directory.openInput(name + ".si", IOContext.DEFAULT)) {
      CodecUtil.readBEInt(input);
      input.readString();
      CodecUtil.readBEInt(input);
      byte[] id = new byte[StringHelper.ID_LENGTH];
      input.readBytes(id, 0, id.length);
      return id;
    }
  }

  private static void readFiles(Directory directory, SegmentInfo segment, Codec codec) throws Exception {
    FieldInfos fields = codec.fieldInfosFormat().read(directory, segment, "", IOContext.DEFAULT);
    write('L', "fields");
    for (FieldInfo field : fields) write('D', field.name);
    write('L', "stored");
    try (StoredFieldsReader stored = codec.storedFieldsFormat().fieldsReader(directory, segment, fields, IOContext.DEFAULT)) {
      for (int document = 0; document < segment.maxDoc(); document += 1) stored.document(document, STORED);
    }
    SegmentReadState state = new SegmentReadState(directory, segment, fields, IOContext.DEFAULT);
    if (fields.hasPostings()) readTerms(codec, state);
    if (fields.hasDocValues()) readDocValues(codec, state);
    if (fields.hasTermVectors()) readVectors(codec, state);
  }

  private static final StoredFieldVisitor STORED = new StoredFieldVisitor() {
    @Override
    public void binaryField(FieldInfo field, byte[] value) throws IOException {
      write('D', value);
    }

    @Override
    public void stringField(FieldInfo field, String value) throws IOException {
      write('D', value);
    }

    @Override
    public Status needsField(FieldInfo field) {
      return Status.YES;
    }
  };

  private static void readTerms(Codec codec, SegmentReadState state) throws IOException {
    write('L', "terms");
    try (FieldsProducer postings = codec.postingsFormat().fieldsProducer(state)) {
      for (String field : postings) {
        Terms terms = postings.terms(field);
        if (terms != null) writeTerms(terms.iterator());
      }
    }
  }

  private static void readDocValues(Codec codec, SegmentReadState state) throws IOException {
    write('L', "doc values");
    try (DocValuesProducer values = codec.docValuesFormat().fieldsProducer(state)) {
      for (FieldInfo field : state.fieldInfos) {
        switch (field.getDocValuesType()) {
          case SORTED -> writeTerms(values.getSorted(field).termsEnum());
          case SORTED_SET -> writeTerms(values.getSortedSet(field).termsEnum());
          case BINARY -> {
            BinaryDocValues binary = values.getBinary(field);
            while (binary.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) write('D', binary.binaryValue());
          }
          // Numbers are no text.
          case NUMERIC, SORTED_NUMERIC, NONE -> {}
        }
      }
    }
  }

  private static void readVectors(Codec codec, SegmentReadState state) throws IOException {
    write('L', "term vectors");
    try (TermVectorsReader vectors =
        codec.termVectorsFormat().vectorsReader(state.directory, state.segmentInfo, state.fieldInfos, IOContext.DEFAULT)) {
      for (int document = 0; document < state.segmentInfo.maxDoc(); document += 1) {
        Fields ofDocument = vectors.get(document);
        if (ofDocument == null) continue;
        for (String field : ofDocument) writeTerms(ofDocument.terms(field).iterator());
      }
    }
  }

  private static void writeTerms(TermsEnum terms) throws IOException {
    for (BytesRef term = terms.next(); term != null; term = terms.next()) write('D', term);
  }

  private static void write(char kind, String text) throws IOException {
    write(kind, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void write(char kind, byte[] octets) throws IOException {
    write(kind, new BytesRef(octets));
  }

  private static void write(char kind, BytesRef octets) throws IOException {
    OUT.writeByte(kind);
    OUT.writeInt(octets.length);
    OUT.write(octets.bytes, octets.offset, octets.length);
  }
}
